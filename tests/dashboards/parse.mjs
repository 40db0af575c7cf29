// Reads [[language, text], …] as JSON; says for each where its grammar finds an error, and of PromQL which
// series and labels it names: [{errors: [offset, …], series: [name, …], labels: [name, …]}, …].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const grammar = async (name) => (await import(pathToFileURL(require.resolve(name)))).parser;
const parsers = {
  logql: await grammar("@grafana/lezer-logql"),
  promql: await grammar("@prometheus-io/lezer-promql"),
  traceql: await grammar("@grafana/lezer-traceql"),
};

const parsed = ([language, text]) => {
  const found = { errors: [], series: [], labels: [] };
  const enter = (node) => {
    if (node.type.isError) found.errors.push(node.from);
    if (node.name === "Identifier") found.series.push(text.slice(node.from, node.to));
    if (node.name === "LabelName") found.labels.push(text.slice(node.from, node.to));
  };
  parsers[language].parse(text).iterate({ enter });
  return found;
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(parsed)));
