-- Another key and another path in each request, in an order that no cache foresees; the query of the URL that wrk is
-- given says how many there are: /bench/0?keys=1000000&routes=100000
dofile(debug.getinfo(1, "S").source:match("@(.*)/") .. "/wrk-report.lua")

local keys, routes
local n = 0

function init()
  keys, routes = tonumber(wrk.path:match("keys=(%d+)")), tonumber(wrk.path:match("routes=(%d+)"))
end

function request()
  n = n + 618033
  return string.format("GET /bench/%d HTTP/1.1\r\nHost: localhost\r\napikey: key-%d\r\n\r\n", n % routes, n % keys)
end
