// A CRD that may not be read is asked through a rehearsed creation; here one that is really being deleted. It has a control
// plane of its own, since its CRD does not come back.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { FINALIZER } from "#api/keys.ts";
import { connect } from "#kube/connection.ts";
import { resourceName } from "#kube/kind.ts";
import { type Reader, reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { patient } from "#test/support/patient.ts";
import { afterUninstall } from "#wire/fence.ts";
import { KnownError } from "#wire/errors.ts";
import { readStanding } from "./crd-standing.ts";

test("before its deletion the CRD stands, in its deletion it is seen to go, with and without the right to read it", async () => {
  await using plane = await ownControlPlane();
  await using connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  await installCrds(connection);
  const signal = AbortSignal.timeout(60_000);
  const read = reader(connection);
  const blind: Reader = { ...read, get: () => Promise.reject(new KnownError("invalid", "forbidden", { status: 403 })) };
  const seen = async (by: Reader): Promise<string> => {
    const parts = { connection, reader: by, clusterWide: false, namespace: "default" };
    return (await readStanding(parts, CloudEndpoint, signal)).is;
  };
  const object = aCloudEndpoint({ metadata: { finalizers: [FINALIZER] } });
  await writer(connection, afterUninstall(signal)).create(CloudEndpoint, object, signal);
  expect([await seen(read), await seen(blind)]).toEqual(["there", "there"]);

  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${resourceName(CloudEndpoint)}`;
  await connection.request({ method: "DELETE", path, signal });
  const at = { name: "web", namespace: "default" };
  await expect.poll(async () => (await read.get(CloudEndpoint, at, signal))?.metadata.deletionTimestamp).toBeDefined();

  expect([await seen(read), await seen(blind)]).toEqual(["terminating", "terminating"]);
});
