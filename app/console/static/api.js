// The one door to the server: every request of the console goes through `call`, and every refusal is a Problem.

const BASE = new URL("..", document.baseURI); // the page may live below a prefix
const KEY = "penchant.key";
const listeners = new Set();

export class Problem extends Error {
  // told: an RFC 9457 problem, or what stands in for one where the server did not answer with any.
  constructor(told) {
    super(told.detail || told.title);
    Object.assign(this, told);
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

// told: called with true whenever the server wants a key that it was not sent.
export function onRefused(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function call(method, path, body, { signal, as = "json", type = "application/json" } = {}) {
  const headers = { Accept: as === "json" ? "application/json" : "*/*" };
  if (key.get()) headers["X-API-Key"] = key.get();
  if (body !== undefined) headers["Content-Type"] = type;
  const sent = body === undefined || type !== "application/json" ? body : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(new URL(path.replace(/^\//, ""), BASE), { method, headers, body: sent, signal });
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new Problem({
      title: "The server does not answer",
      detail: "Is it running? The console asks again when you do.",
      status: 0,
    });
  }
  if (!answer.ok) throw await readProblem(answer);
  if (answer.status === 204) return null;
  if (as === "stream") return answer.body;
  return as === "text" ? answer.text() : answer.json();
}

async function readProblem(answer) {
  if (answer.status === 401) listeners.forEach((listener) => listener());
  const told = await answer.json().catch(() => ({}));
  return new Problem({ title: answer.statusText || "Refused", ...told, status: answer.status });
}

// What this server can do, read from its OpenAPI document: the console shows nothing else.
export async function readOffer() {
  const document = await call("GET", "openapi.json");
  const offers = (method, path) => Boolean(document.paths[path]?.[method.toLowerCase()]);
  const fieldsOf = (method, path) => {
    const content = document.paths[path]?.[method.toLowerCase()]?.requestBody?.content ?? {};
    const schema = content["application/json"]?.schema ?? {};
    const name = (schema.$ref ?? "").split("/").at(-1);
    return (name ? document.components.schemas[name] : schema)?.properties ?? {};
  };
  const has = (schema, field) => Boolean(document.components.schemas[schema]?.properties?.[field]);
  return { document, offers, fieldsOf, has, version: document.info.version };
}

export const segment = (text) => encodeURIComponent(text);

export const query = (values) => {
  const told = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return told.length ? `?${new URLSearchParams(told)}` : "";
};
