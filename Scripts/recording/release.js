// The shop's front end: it reads orders and prices, saves the cart, and loads itself again now and
// then, as a visitor's next page would. `release` is null before the release of the incident.
const release = null;
const api = "http://api.example.test";

async function call(method, path, headers = {}, body) {
  const call = { at: Date.now(), page: location.origin, method, url: api + path, release };
  try {
    const response = await fetch(api + path, { method, headers, body });
    Object.assign(call, { outcome: "answered", type: response.type, status: response.status });
    await response.text();
  } catch (error) {
    Object.assign(call, { outcome: "refused", error: String(error) });
  }
  console.log("TRUTH " + JSON.stringify(call));
}

async function run() {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 4000 + Math.random() * 4000));
  const mark = release ? { "X-Release": release } : {};
  for (let round = 0; round < 3; round++) {
    await call("GET", "/orders/" + (1000 + Math.floor(Math.random() * 900)), mark);
    await call("GET", "/prices?currency=eur");
    await pause();
    const cart = JSON.stringify({ items: round });
    await call("PUT", "/carts/77", { "Content-Type": "application/json", ...mark }, cart);
    await pause();
  }
  location.reload();
}
run();
