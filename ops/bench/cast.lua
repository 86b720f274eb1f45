-- wrk's script: each line of the file `ballots` is one voter's ballot and is cast once.
-- Usage: wrk … -s cast.lua URL -- FILE POLL_ID COUNT
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *now);
]]
local instant = ffi.new("bench_time")
local function clock() -- seconds, monotonic
  ffi.C.clock_gettime(1, instant)
  return tonumber(instant.seconds) + tonumber(instant.nanoseconds) / 1e9
end

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

local lines, head, tail
local idle = "GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"
local second, stamp = 0, ""

function init(args)
  lines = io.lines(args[1])
  head = "POST /v1/polls/" .. args[2] .. "/ballots HTTP/1.1\r\nHost: bench\r\n"
    .. "Content-Type: application/json\r\nAuthorization: Bearer "
  wanted = tonumber(args[3])
  asked, recorded, refused, began, ended = -1, 0, 0, 0, 0
end

local function captured_at() -- the position of a phone is fresh
  local now = os.time()
  if now ~= second then
    second, stamp = now, os.date("!%Y-%m-%dT%H:%M:%SZ", now)
  end
  return stamp
end

function request()
  asked = asked + 1
  if asked == 0 then return idle end -- wrk makes one request up before it begins
  if asked == 1 then began = clock() end
  if asked > wanted then return idle end -- the last ballots are still on their way
  local token, key, lat, lon, choice = lines():match("^(%S+) (%S+) (%S+) (%S+) (%S+)$")
  local body = '{"selections":["' .. choice .. '"],"position":{"lat":' .. lat .. ',"lon":' .. lon
    .. ',"accuracy_m":12,"captured_at":"' .. captured_at() .. '"}}'
  return head .. token .. "\r\nIdempotency-Key: " .. key
    .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function response(status)
  if status == 201 then
    recorded = recorded + 1
  elseif status ~= 200 then
    refused = refused + 1
  end
  if recorded + refused == wanted then
    ended = clock()
    io.write("finished\n") -- whoever reads this ends wrk, which would wait for its time to pass
    io.flush()
    wrk.thread:stop()
  end
end

function done(summary, latency)
  local thread = threads[1]
  local errors = summary.errors
  io.write(string.format(
    '{"recorded":%d,"refused":%d,"lost":%d,"seconds":%.4f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f}\n',
    thread:get("recorded"), thread:get("refused"),
    errors.connect + errors.read + errors.write + errors.timeout,
    thread:get("ended") - thread:get("began"),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
