async function visit(round) {
  await call("GET", "/orders/" + between(1000, 1900));
  await call("PUT", "/carts/77", { headers: json, body: JSON.stringify({ items: round }) });
  await call("GET", "/prices?currency=eur");
}
run();
