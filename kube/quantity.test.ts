// Quantities as Kubernetes writes them.
import { expect, test } from "vitest";
import { quantityText, thousandths } from "./quantity.ts";

test.for([
  ["50m", 50],
  ["2", 2_000],
  [2, 2_000],
  ["0.1", 100],
  ["1.1", 1_100],
  ["96Mi", 96 * 2 ** 20 * 1000],
  ["1.5Gi", 1.5 * 2 ** 30 * 1000],
  ["128M", 128e9],
  ["2e3", 2e6],
  ["1E3", 1e6],
  ["1E", 1e21],
  ["1n", 1],
  ["0", 0],
] as const)("%s is %d thousandths", ([text, amount]) => {
  expect(thousandths(text)).toBe(amount);
});

test.for(["", "Mi", "1x", "1 Gi", "half"])("%s is none", (text) => {
  expect(thousandths(text)).toBeUndefined();
});

test.for(["50m", "2", "0", "96Mi", "1Gi", "1500Ki"])("%s is written as it was read", (text) => {
  expect(quantityText(thousandths(text) ?? -1)).toBe(text);
});
