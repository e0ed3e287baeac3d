async function visit(round) {
  await call("GET", "/search?q=shoes&page=" + round);
  await call("GET", "/products/" + between(100000, 900000));
}
run();
