async function visit(round) {
  await call("POST", "/orders", { headers: json, body: JSON.stringify({ items: round }) });
  await call("GET", "/orders/" + between(1000, 1900));
  await call("GET", "/prices");
}
run();
