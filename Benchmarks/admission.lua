-- Posts AdmissionReviews with wrk: the file named by BODY, in which "@@@@@@@@@@@@" becomes a key:
-- one that no other request has or, with KEYS set, one of so many. Each distinct request costs wrk
-- two string concatenations.
local counter = 0
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  local file = assert(io.open(os.getenv("BODY"), "rb"))
  local body = file:read("*a")
  file:close()
  local head = "POST /mutate?timeout=10s HTTP/1.1\r\nHost: localhost\r\n"
    .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n"
  local first, last = string.find(body, "@@@@@@@@@@@@", 1, true)
  if first then
    before = head .. string.sub(body, 1, first - 1)
    after = string.sub(body, last + 1)
  else
    before = head .. body
  end
  start = os.time() % 1000
  keys = tonumber(os.getenv("KEYS"))
end

function request()
  if not after then return before end
  counter = counter + 1
  if keys then return before .. string.format("%012d", counter % keys) .. after end
  return before .. string.format("%03d%d%08d", start, id, counter) .. after
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT requests=%d microseconds=%d p50=%d p99=%d errors=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
