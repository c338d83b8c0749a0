// Evaluates FEEL with feelin: a JSON line {text, context} in, a JSON line {value} or {error} out.
import { createInterface } from "node:readline";
import { evaluate } from "feelin";

const plain = (key, value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && value.constructor !== Object
    ? String(value)
    : value;

for await (const line of createInterface({ input: process.stdin })) {
  const { text, context } = JSON.parse(line);
  let answer;
  try {
    answer = { value: evaluate(text, context).value ?? null };
  } catch (error) {
    answer = { error: String(error.message) };
  }
  process.stdout.write(JSON.stringify(answer, plain) + "\n");
}
