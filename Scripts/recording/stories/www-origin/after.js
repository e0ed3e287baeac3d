// The site has moved to its name with www; whoever still has the old name is sent there.
if (!location.host.startsWith("www.")) location.replace("http://www.app.example.test/");
async function visit(round) {
  await call("GET", "/offers?page=" + round);
  await call("PUT", "/carts/77", { headers: json, body: JSON.stringify({ items: round }) });
}
run();
