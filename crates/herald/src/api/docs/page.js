// Draws /openapi.json: every operation with its fields and examples, and a form to try it out. No library and nothing
// from elsewhere, so that it works where there is no internet. Everything is put in as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api;

/** Makes an element with attributes and children; texts become text nodes. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** Text in which `words` between backticks are code. */
function prose(text) {
  return (text ?? "").split(/(`[^`]+`)/).filter(Boolean)
    .map((part) => (part.startsWith("`") ? make("code", {}, part.slice(1, -1)) : part));
}

function paragraphs(text) {
  return (text ?? "").split(/\n\s*\n/).filter(Boolean).map((part) => make("p", {}, prose(part.replaceAll("\n", " "))));
}

/** Follows a $ref. */
function resolve(schema) {
  let found = schema;
  for (let steps = 0; found?.$ref && steps < 20; steps += 1) {
    found = found.$ref.slice(2).split("/").reduce((value, key) => value?.[key.replaceAll("~1", "/")], api);
  }
  return found ?? {};
}

/** The fields of an object schema, those of its parts (allOf) included. */
function fields(schema) {
  const own = resolve(schema);
  const inherited = (own.allOf ?? []).flatMap((part) => fields(part));
  const required = new Set(own.required ?? []);
  return inherited.concat(Object.entries(own.properties ?? {})
    .map(([name, property]) => ({ name, property, required: required.has(name) })));
}

/** What a schema is, in a few words. */
function kind(schema) {
  if (schema?.$ref) return schema.$ref.split("/").pop();
  const choices = schema?.oneOf ?? schema?.anyOf;
  if (choices) return choices.map(kind).join(" or ");
  const types = [schema?.type].flat().filter(Boolean);
  const words = types.map((type) => (type === "array" ? `list of ${kind(schema.items)}` : schema.format ?? type));
  if (schema?.enum) return schema.enum.map((word) => JSON.stringify(word)).join(", ");
  return words.join(" or ") || "anything";
}

/** An example of a schema: its own, else made of the examples of its fields. */
function example(schema, depth = 0) {
  const own = resolve(schema);
  const given = schema?.example ?? own.example ?? own.examples?.[0] ?? own.default;
  if (given !== undefined) return given;
  if (depth > 5) return null;
  if (own.oneOf || own.anyOf) {
    const first = (own.oneOf ?? own.anyOf).find((choice) => choice.type !== "null");
    return example(first, depth + 1);
  }
  if (own.enum) return own.enum[0];
  if (own.properties || own.allOf) {
    return Object.fromEntries(fields(own).map(({ name, property }) => [name, example(property, depth + 1)]));
  }
  const type = [own.type].flat().find((word) => word && word !== "null");
  if (type === "array") return [example(own.items, depth + 1)];
  if (type === "string") {
    return { "date-time": "2030-01-31T08:00:00Z", uuid: "0199f3a0-0000-7000-8000-000000000000" }[own.format] ?? "text";
  }
  return { integer: 0, number: 0, boolean: false, object: {} }[type] ?? null;
}

function table(heads, rows) {
  return make("table", {}, make("thead", {}, make("tr", {}, heads.map((head) => make("th", {}, head)))), make("tbody", {}, rows));
}

function fieldTable(schema) {
  const list = fields(schema);
  if (!list.length) return make("p", {}, kind(schema));
  return table(["Field", "Type", "What it is"], list.map(({ name, property, required }) => {
    const text = property.description ?? resolve(property).description;
    return make("tr", {}, make("td", { class: required && "required" }, make("code", {}, name)),
      make("td", {}, kind(property)), make("td", {}, prose(text)));
  }));
}

function body(content) {
  const media = content && Object.values(content)[0];
  return media && { schema: media.schema, example: media.example ?? example(media.schema) };
}

function answers(responses) {
  return Object.entries(responses ?? {}).map(([status, response]) => {
    const content = body(response.content);
    const named = content && !content.schema?.$ref?.endsWith("/Problem");
    return make("details", {}, make("summary", {}, make("code", {}, status), " ", prose(response.description)),
      named && [fieldTable(content.schema), make("pre", {}, JSON.stringify(content.example, null, 2))],
      content && !named && make("p", {}, "A ", make("a", { href: "/docs/problems" }, "problem"), "."));
  });
}

/** The request of a form, as fetch wants it. */
function request(operation, form) {
  const headers = {};
  const query = new URLSearchParams();
  let path = operation.path;
  for (const input of form.querySelectorAll("[data-in]")) {
    const value = input.value.trim();
    const { in: place, name } = input.dataset;
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && place === "query") query.set(name, value);
    else if (value && place === "header") headers[name] = value;
  }
  const department = document.getElementById("department").value.trim();
  if (department && !query.has("department") && operation.security) query.set("department", department);
  const token = document.getElementById("token").value.trim();
  if (token && operation.security) headers.Authorization = `Bearer ${token}`;
  const area = form.querySelector("textarea");
  if (area) headers["Content-Type"] = "application/json";
  const search = query.size ? `?${query}` : "";
  return { url: path + search, method: operation.method.toUpperCase(), headers, body: area?.value };
}

function curl({ url, method, headers, body: text }) {
  const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;
  const shown = Object.entries(headers).map(([name, value]) => {
    return `-H ${quote(`${name}: ${name === "Authorization" ? "Bearer $TOKEN" : value}`)}`.replace("'Authorization: Bearer $TOKEN'", "\"Authorization: Bearer $TOKEN\"");
  });
  const data = text ? [`-d ${quote(text)}`] : [];
  return [`curl -X ${method} ${quote(location.origin + url)}`, ...shown, ...data].join(" \\\n  ");
}

function tryOut(operation) {
  const content = body(operation.requestBody?.content);
  const output = make("div", {});
  const inputs = (operation.parameters ?? []).filter((parameter) => parameter.name !== "department");
  const form = make("form", {
    class: "try",
    onsubmit: async (event) => {
      event.preventDefault();
      const call = request(operation, form);
      output.replaceChildren(make("pre", {}, curl(call)), make("p", {}, "…"));
      try {
        const answer = await fetch(call.url, call);
        const text = await answer.text();
        const wanted = ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-request-id"];
        const headers = wanted.filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
        let shown = text;
        try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* Not JSON: shown as it is. */ }
        output.lastChild.replaceWith(make("pre", {}, [`${answer.status} ${answer.statusText}`, ...headers, "", shown].join("\n")));
      } catch (error) {
        output.lastChild.replaceWith(make("pre", {}, `No answer: ${error.message}`));
      }
    },
  },
  make("h3", {}, "Try it"),
  inputs.map((parameter) => make("label", {}, make("span", { class: parameter.required && "required" }, parameter.name),
    make("input", {
      "data-in": parameter.in, "data-name": parameter.name, required: parameter.required,
      placeholder: parameter.example ?? parameter.schema?.example ?? "",
    }))),
  content && make("textarea", { "aria-label": "Body", spellcheck: "false" }, JSON.stringify(content.example, null, 2)),
  make("p", {}, make("button", {}, `Send ${operation.method.toUpperCase()}`)), output);
  return form;
}

function draw(operation) {
  const inputs = operation.parameters ?? [];
  const content = body(operation.requestBody?.content);
  const scopes = (operation.security ?? []).flatMap((entry) => Object.values(entry).flat());
  const filled = make("div", {});
  // Made when it is opened: the page has some forty of these.
  const fill = () => {
    if (filled.childNodes.length) return;
    filled.append(...[
      ...paragraphs(operation.description),
      scopes.length ? make("p", {}, "Scope: ", scopes.map((scope) => make("code", {}, scope))) : null,
      ...(inputs.length ? [make("h3", {}, "Parameters"), table(["Name", "In", "What it is"], inputs.map((parameter) =>
        make("tr", {}, make("td", { class: parameter.required && "required" }, make("code", {}, parameter.name)),
          make("td", {}, parameter.in), make("td", {}, prose(parameter.description ?? kind(parameter.schema))))))] : []),
      ...(content ? [make("h3", {}, "Body"), fieldTable(content.schema)] : []),
      make("h3", {}, "Answers"), ...answers(operation.responses), tryOut(operation),
    ].filter(Boolean));
  };
  const details = make("details", { ontoggle: fill }, make("summary", {},
    make("span", { class: "method" }, operation.method.toUpperCase()), make("span", { class: "path" }, operation.path),
    make("span", { class: "summary" }, operation.summary ?? "")), filled);
  return make("article", { id: operation.operationId }, details);
}

function openNamed() {
  document.getElementById(location.hash.slice(1))?.querySelector("details")?.setAttribute("open", "");
}

async function start() {
  api = await (await fetch("/openapi.json")).json();
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })));
  const tags = [...new Set(operations.map((operation) => operation.tags?.[0] ?? "other"))];
  const main = document.getElementById("operations");
  const contents = document.getElementById("contents");
  main.replaceChildren(...paragraphs(api.info.description));
  const drawn = [];
  for (const tag of tags) {
    const heading = make("h2", {}, tag);
    contents.append(make("h2", {}, tag));
    main.append(heading);
    for (const operation of operations.filter((candidate) => (candidate.tags?.[0] ?? "other") === tag)) {
      const article = draw(operation);
      const link = make("a", { href: `#${operation.operationId}` }, operation.summary ?? operation.path);
      main.append(article);
      contents.append(link);
      drawn.push({ article, link, words: `${operation.method} ${operation.path} ${operation.summary} ${tag}`.toLowerCase() });
    }
  }
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/);
    for (const { article, link, words } of drawn) {
      article.hidden = link.hidden = !wanted.every((word) => words.includes(word));
    }
  });
  window.addEventListener("hashchange", openNamed);
  openNamed();
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

start().catch((error) => {
  document.getElementById("operations").replaceChildren(`The API document cannot be read: ${error.message}`);
});
