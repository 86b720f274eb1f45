-- wrk's script: as cast.lua, but whoever is refused waits as long as Retry-After says.
-- Usage: wrk … -s overload.lua URL -- FOLDER_OF_SCRIPTS FILE
local threads = {}
local statuses = { "201", "429", "503", "other", "unsaid" }

function init(args)
  dofile(args[1] .. "/cast.lua")
  local first = init
  init({ args[2] })
  waits, s201, s429, s503, other, unsaid = {}, 0, 0, 0, 0, 0

  function response(status, headers)
    if status == 201 then
      s201 = s201 + 1
    elseif status == 429 or status == 503 then
      if status == 429 then s429 = s429 + 1 else s503 = s503 + 1 end
      local pause = tonumber(headers["Retry-After"])
      if not pause then unsaid = unsaid + 1 end
      table.insert(waits, 1000 * (pause or 1) + math.random(0, 250))
    elseif status ~= 200 then
      other = other + 1
    end
  end
end

function delay() -- before each request; one wait for each refusal
  return table.remove(waits) or 0
end

function setup(thread)
  table.insert(threads, thread)
end

function done(summary, latency)
  local t, errors = threads[1], summary.errors
  io.write(string.format(
    '{"s201":%d,"s429":%d,"s503":%d,"other":%d,"unsaid":%d,"lost":%d,"seconds":%.4f,"p99_ms":%.2f}\n',
    t:get("s201"), t:get("s429"), t:get("s503"), t:get("other"), t:get("unsaid"),
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6,
    latency:percentile(99) / 1000))
end
