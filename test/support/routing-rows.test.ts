// Every row becomes what it says, by the translator alone; that a cluster shows the same is test/e2e/routing-rows.test.ts.
import { test } from "vitest";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import { aGatewayClass, anIngressClass } from "./builders.ts";
import { aNamespace } from "./gateway-ground.ts";
import { allRows, missingIn } from "./routing-rows.ts";
import { OPTIONS } from "./translating.ts";

const rows = allRows({ shop: "shop", other: "other" });
const classes = [
  anIngressClass({ metadata: { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } } }),
  aGatewayClass(),
  aNamespace("other", { "kubernetes.io/metadata.name": "other" }),
];
const objects = rows.flatMap((row) => row.objects.map((object, at) => withUid(object, `${row.name}-${at}`)));
const { endpoints } = translate(index([...classes, ...objects]), OPTIONS);

function withUid<T extends { metadata: object }>(object: T, uid: string): T {
  return { ...object, metadata: { ...object.metadata, uid } };
}

test.for(rows)("$name", (row, { expect }) => {
  expect(missingIn(row, endpoints)).toEqual([]);
});
