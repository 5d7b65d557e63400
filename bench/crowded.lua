-- Any of the keys and any of the routes in each request, each as likely as the others, so that no cache foresees what
-- comes and no slice repeats the one before. The query of the URL that wrk is given says how many there are, and over
-- how many hosts the routes go: /bench/0?keys=1000000&routes=100000&hosts=10000
dofile(debug.getinfo(1, "S").source:match("@(.*)/") .. "/wrk-report.lua")

local keys, routes, hosts
local random, format = math.random, string.format

local function number(name)
  return tonumber(wrk.path:match(name .. "=(%d+)"))
end

function init()
  keys, routes, hosts = number("keys"), number("routes"), number("hosts")
  math.randomseed(os.time())
end

function request()
  local route = random(0, routes - 1)
  return format("GET /bench/%d HTTP/1.1\r\nHost: tenant-%d.example.com\r\napikey: key-%d\r\n\r\n",
    route, route % hosts, random(0, keys - 1))
end
