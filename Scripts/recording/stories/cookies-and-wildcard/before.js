async function visit(round) {
  await call("GET", "/offers?page=" + round);
  await call("GET", "/rates");
}
run();
