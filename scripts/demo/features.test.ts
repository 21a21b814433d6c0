// What the demo takes for `--with`.
import { expect, test } from "vitest";
import { featuresOf, NO_FEATURES, refuseLive } from "./features.ts";

test("features come in one order, each once", () => {
  expect(featuresOf("service,ingress,service")).toEqual({ users: ["ingress", "service"], ways: [] });
  expect(featuresOf("bindings, gateway,agent")).toEqual({ users: ["gateway"], ways: ["agent", "bindings"] });
});

test("what is no feature is refused by its name, with the remedy", () => {
  expect(() => featuresOf("ingres,service,binding")).toThrow(
    '"ingres", "binding" is none of ingress, gateway, service, agent, bindings: name one or more, with commas between them, as in --with ingress,service.',
  );
  expect(() => featuresOf("")).toThrow('"" is none of');
});

test.for([
  ["ingress,agent", "could not give back: leave out --live or --with"],
  ["agent", "--with agent sends its requests through stand-ins"],
  ["bindings,agent", "--with agent,bindings sends its requests through stand-ins"],
] as const)("a real account is refused --with %s", ([text, said]) => {
  expect(() => refuseLive(featuresOf(text))).toThrow(said);
  expect(() => refuseLive(NO_FEATURES)).not.toThrow();
});
