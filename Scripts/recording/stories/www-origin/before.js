async function visit(round) {
  await call("GET", "/offers?page=" + round);
  await call("PUT", "/carts/77", { headers: json, body: JSON.stringify({ items: round }) });
}
run();
