// The value of a screen or a slip stands behind # and stays in the phone: it goes on to the app.
'use strict';

(function () {
  const value = location.hash.slice(1);
  const app = document.querySelector('a.app');
  if (app && /^([0-9]{8}|[0-9A-HJKMNP-TV-Z]{12})$/.test(value)) {
    app.href += '&value=' + value;
    document.getElementById('value').textContent = value.replace(/(.{4})(?!$)/g, '$1 ');
    document.getElementById('with-value').hidden = false;
  }
})();
