// The screen at a site: shows the code that is good now, and never one that is not.
//
// The key stands behind # in the address, so no server, proxy or log ever sees it there. Values
// come from the server, with the server's clock: this device's clock is used for differences only.
'use strict';

(function () {
  const TICK_MS = 250;
  const MARGIN_MS = 4000; // blank so long before the server refuses the value
  const PATIENCE_MS = 8000; // for one request
  const SLOWEST_MS = 30000; // between two tries
  const LOOK_AROUND_MS = 60000; // which polls are held here
  const QUIET_ZONE = 4;
  const WORDS = JSON.parse(document.body.dataset.words); // by state: in Korean, in English
  const at = (id) => document.getElementById(id);

  let key = '';
  let polls = [];
  let chosen = null;
  let shown = null; // {sent, expires, acceptedUntil, now}: instants of the server in ms
  let asking = 0; // number of the request under way, 0 for none
  let asked = 0;
  let failures = 0;
  let nextTry = reading();
  let nextLook = reading();

  // A device that slept, or whose clock was set, tells more time by one of its clocks: that counts.
  function reading() {
    return { steady: performance.now(), wall: Date.now() };
  }
  function since(then) {
    return Math.max(performance.now() - then.steady, Date.now() - then.wall);
  }
  function later(ms) {
    const now = reading();
    return { steady: now.steady + ms, wall: now.wall + ms };
  }
  function isDue(then) {
    return since(then) >= 0;
  }
  // Never earlier than the server's own clock: counted from when the question was sent.
  function serverTime() {
    return shown.now + since(shown.sent);
  }

  function say(state, words) {
    document.body.dataset.state = state;
    const said = WORDS[words] || ['', ''];
    if (at('notice-ko').textContent !== said[0]) {
      at('notice-ko').textContent = said[0];
      at('notice-en').textContent = said[1];
    }
  }

  function blank(state) {
    shown = null;
    at('code').hidden = true;
    at('symbol').replaceChildren();
    at('value').textContent = '';
    say(state, state);
  }

  function draw(rows) {
    const side = rows.length + 2 * QUIET_ZONE;
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    let bars = '';
    rows.forEach((row, y) => {
      for (const run of row.matchAll(/1+/g)) {
        bars += 'M' + (run.index + QUIET_ZONE) + ' ' + (y + QUIET_ZONE) +
          'h' + run[0].length + 'v1h-' + run[0].length + 'z';
      }
    });
    path.setAttribute('d', bars);
    path.setAttribute('fill', '#000');
    at('symbol').setAttribute('viewBox', '0 0 ' + side + ' ' + side);
    at('symbol').replaceChildren(path);
  }

  function show(answer, sent) {
    shown = {
      sent: sent,
      now: Date.parse(answer.now),
      expires: Date.parse(answer.expires_at),
      acceptedUntil: Date.parse(answer.accepted_until),
    };
    draw(answer.symbol);
    at('value').textContent = answer.value.slice(0, 4) + ' ' + answer.value.slice(4);
    at('code').hidden = false;
    say('showing', '');
    // Not every screen in the same instant.
    nextTry = later(Math.max(0, shown.expires - serverTime()) + Math.random() * 1000);
  }

  async function call(method, path) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(path, {
        method: method,
        headers: { Authorization: 'Bearer ' + key, Accept: 'application/json' },
        cache: 'no-store', credentials: 'omit', redirect: 'error', signal: stop.signal,
      });
      return { status: answer.status, body: await answer.json() };
    } finally {
      clearTimeout(timer);
    }
  }

  function nameOf(texts) {
    return texts.ko || texts.en || '';
  }

  function head(site) {
    const poll = polls.find((each) => each.code === chosen);
    at('title-ko').textContent = poll ? nameOf(poll.poll.title) : '';
    at('title-en').textContent = poll && poll.poll.title.ko ? poll.poll.title.en || '' : '';
    if (site) at('site').textContent = nameOf(site.name);
    at('polls').hidden = polls.length < 2;
    at('polls').replaceChildren(...polls.map((each) => {
      const button = document.createElement('button');
      button.textContent = nameOf(each.poll.title);
      button.setAttribute('aria-pressed', String(each.code === chosen));
      button.addEventListener('click', () => {
        chosen = each.code;
        blank('loading');
        head(null);
        nextTry = reading();
      });
      return button;
    }));
  }

  async function look() {
    const found = await call('GET', '/v1/display');
    if (found.status !== 200) return found.status;
    polls = found.body.items;
    if (!polls.some((each) => each.code === chosen)) {
      chosen = polls.length ? polls[0].code : null;
    }
    head(found.body.site);
    nextLook = later(LOOK_AROUND_MS * (0.8 + Math.random() * 0.4));
    return 200;
  }

  async function refresh() {
    let status = isDue(nextLook) || !chosen ? await look() : 200;
    if (status === 200 && chosen) {
      const sent = reading();
      const answer = await call('POST', '/v1/codes/' + chosen + '/display');
      status = answer.status;
      if (status === 200) show(answer.body, sent);
    }
    return status;
  }

  function conclude(status) {
    if (status === 200 && chosen) {
      failures = 0;
    } else if (status === 401 || status === 403) {
      blank('refused');
      tryAgainLater();
    } else if (status === 200 || status === 404) {
      chosen = null;
      nextLook = reading();
      blank('none');
      failures = Math.min(failures, 2);
      tryAgainLater();
    } else {
      tryAgainLater();
    }
  }

  function tryAgainLater() {
    failures += 1;
    const longest = Math.min(SLOWEST_MS, 1000 * 2 ** Math.min(failures, 10));
    nextTry = later(longest * (0.5 + Math.random() / 2));
  }

  function attempt() {
    const mine = asking = ++asked;
    const about = key;
    refresh().catch(() => 0).then((status) => {
      if (asking !== mine || key !== about) return;
      asking = 0;
      conclude(status);
    });
  }

  function tick() {
    if (!key) return;
    if (shown && serverTime() >= shown.acceptedUntil - MARGIN_MS) blank('stale');
    if (shown) {
      const left = Math.ceil((shown.expires - serverTime()) / 1000);
      at('left').textContent = left > 0 ? left + 's' : '';
      if (left < -5) say('showing', 'late');
    } else if (document.body.dataset.state === 'loading' && failures) {
      blank('stale');
    }
    if (!asking && isDue(nextTry)) attempt();
  }

  function start() {
    key = decodeURIComponent(location.hash.slice(1)).trim();
    polls = [];
    chosen = null;
    asking = 0;
    failures = 0;
    nextTry = nextLook = reading();
    at('key-form').hidden = Boolean(key);
    head(null);
    blank(key ? 'loading' : 'asking');
    tick();
  }

  // Keeping awake: the browser's own lock, else a film of nothing, else a word to the staff.

  let lock = null;
  async function stayAwake() {
    if (document.visibilityState !== 'visible' || (lock && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request('screen');
    } catch (refused) {
      at('awake').hidden = await playNothing();
    }
  }
  async function playNothing() {
    try {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 1;
      const pen = canvas.getContext('2d');
      setInterval(() => pen.fillRect(0, 0, 1, 1), 1000);
      const film = document.createElement('video');
      film.muted = true;
      film.setAttribute('playsinline', '');
      film.srcObject = canvas.captureStream(1);
      await film.play();
      return true;
    } catch (refused) {
      return false;
    }
  }

  function wake() {
    nextTry = reading();
    tick();
    stayAwake();
  }

  at('fullscreen').addEventListener('click', () => {
    document.documentElement.requestFullscreen().catch(() => undefined);
  });
  document.addEventListener('fullscreenchange', () => {
    at('fullscreen').hidden = Boolean(document.fullscreenElement);
  });
  at('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    location.hash = at('key').value.trim();
    at('key').value = '';
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake();
  });
  window.addEventListener('online', wake);
  window.addEventListener('hashchange', start);
  setInterval(tick, TICK_MS);
  start();
  stayAwake();
})();
