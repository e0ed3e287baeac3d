// What the page of every story does: it calls the API, says of each call how it ended, and loads itself again
// now and then, as a visitor's next page would. `visit` is the story's own.
const api = "http://api.example.test";
const json = { "Content-Type": "application/json" };
const between = (least, most) => least + Math.floor(Math.random() * (most - least));
const pause = () => new Promise((resolve) => setTimeout(resolve, between(900, 2100)));

async function call(method, path, options = {}) {
  const call = {
    at: Date.now(), page: location.origin, method, url: new URL(path, api).href,
    credentials: options.credentials ?? "same-origin",
  };
  try {
    const response = await fetch(call.url, { method, ...options });
    Object.assign(call, { outcome: "answered", type: response.type, status: response.status });
    await response.text();
  } catch (error) {
    Object.assign(call, { outcome: "refused", error: String(error) });
  }
  console.log("TRUTH " + JSON.stringify(call));
  await pause();
}

async function run() {
  for (let round = 0; round < 3; round++) await visit(round);
  location.reload();
}
