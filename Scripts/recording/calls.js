// Makes one call after the other and says of each how it ended.
const api = `${location.protocol}//api.example.test`;
const json = { "Content-Type": "application/json" };
const calls = [
  [api + "/v1/products?page=1"],
  [api + "/public/rates"],
  [api + "/v1/orders/42", { method: "PUT", headers: json, body: '{"count":2}' }],
  [api + "/v1/orders/42", { method: "PUT", headers: json, body: '{"count":3}' }],
  [api + "/v1/login", { method: "POST", credentials: "include", body: "user=demo" }],
  [api + "/v1/me", { credentials: "include" }],
  [api + "/v1/missing"],
  ["/page.json"],
  [api + "/internal/reports"],
  [api + "/public/rates?currency=eur", { credentials: "include" }],
  [api + "/v1/orders/42", { method: "PATCH", headers: json, body: '{"count":4}' }],
  [api + "/v1/orders", { method: "POST", headers: { ...json, "X-Trace": "7" }, body: "{}" }],
  [api + "/protected/sessions/9", { method: "DELETE", headers: { Authorization: "Bearer none" } }],
  [api + "/v2/items", { method: "PUT", headers: json, body: "{}" }],
  [api + "/slow/search?q=shoes"],
  [api + "/twice/list"],
  [api + "/fixed/list"],
  [api + "/files/terms"],
  [api + "/files/logo"],
  [api + "/internal/pixel", { mode: "no-cors" }],
  [api + "/internal/events", { method: "POST", mode: "no-cors", body: "seen" }],
];

async function run() {
  for (const [url, options = {}] of calls) {
    const call = {
      at: Date.now(), page: location.origin, method: options.method ?? "GET",
      url: new URL(url, location).href, credentials: options.credentials ?? "same-origin",
      mode: options.mode ?? "cors",
    };
    try {
      const response = await fetch(url, options);
      Object.assign(call, { outcome: "answered", type: response.type, status: response.status });
      await response.text();
    } catch (error) {
      Object.assign(call, { outcome: "refused", error: String(error) });
    }
    console.log("TRUTH " + JSON.stringify(call));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  console.log("TRUTH done");
}
run();
