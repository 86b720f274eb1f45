-- wrk's script: each line of the file is one voter's ballot and is cast once.
-- Usage: wrk … -s cast.lua URL -- FILE
-- Answers are not looked at one by one: that would cost as much again as making the request.
local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

local lines
local idle = "GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
local second, stamp = 0, ""

function init(args)
  lines = io.lines(args[1])
  asked, begun = 0, false
end

local function captured_at() -- the position of a phone is fresh
  local now = os.time()
  if now ~= second then
    second, stamp = now, os.date("!%Y-%m-%dT%H:%M:%SZ", now)
  end
  return stamp
end

function ballot() -- the next one, or something else when there is none left
  local line = lines and lines()
  if not line then
    lines = nil
    return idle
  end
  asked = asked + 1
  local poll, token, key, lat, lon, choice = line:match("^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$")
  local body = '{"selections":["' .. choice .. '"],"position":{"lat":' .. lat .. ',"lon":' .. lon
    .. ',"accuracy_m":12,"captured_at":"' .. captured_at() .. '"}}'
  return "POST /v1/polls/" .. poll .. "/ballots HTTP/1.1\r\nHost: bench\r\n"
    .. "Content-Type: application/json\r\nAuthorization: Bearer " .. token
    .. "\r\nIdempotency-Key: " .. key .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function request()
  if not begun then -- wrk makes one request up before it begins
    begun = true
    return idle
  end
  return ballot()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"asked":%d,"answered":%d,"refused":%d,"lost":%d,"seconds":%.4f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f}\n',
    threads[1]:get("asked"), summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
