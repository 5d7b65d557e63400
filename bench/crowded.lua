-- Another key and another path in each request, in an order that no cache foresees. KEYS and ROUTES say how many.
local keys, routes = tonumber(os.getenv("KEYS")), tonumber(os.getenv("ROUTES"))
local n = 0
function request()
  n = n + 618033
  return string.format("GET /bench/%d HTTP/1.1\r\nHost: localhost\r\napikey: key-%d\r\n\r\n", n % routes, n % keys)
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"durationUs":%d,"errors":%d}\n', summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
