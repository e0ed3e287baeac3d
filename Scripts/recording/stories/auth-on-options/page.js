const signedIn = { Authorization: "Bearer demo" };
async function visit(round) {
  await call("GET", "/accounts/" + between(100, 900), { headers: signedIn });
  await call("PATCH", "/accounts/me", { headers: { ...json, ...signedIn }, body: JSON.stringify({ round }) });
  await call("GET", "/rates");
}
run();
