async function visit(round) {
  await call("GET", "http://cdn.example.test/config.json");
  await call("GET", "http://cdn.example.test/texts/en.json");
  await call("GET", "/prices");
}
run();
