const here = location.protocol === "https:" ? "https://api.example.test" : api;
async function visit(round) {
  await call("GET", here + "/orders/" + between(1000, 1900), { credentials: "include" });
  await call("PUT", here + "/carts/77", { headers: json, body: JSON.stringify({ items: round }) });
  await call("GET", location.origin + "/page.json");
  await call("GET", here + "/nothing");
}
run();
