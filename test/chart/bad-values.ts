// What a person may get wrong in values, as `--set` takes it, and the words of Helm that name the field.

export const REFUSED_BY_SCHEMA = [
  { set: "drainPolicy=Purge", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=retain", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=", says: "at '/drainPolicy': value must be one of 'Retain', 'Delete'" },
  { set: "drainPolicy=null", says: "missing property 'drainPolicy'" },
  { set: "drainPolcy=Delete", says: "additional properties 'drainPolcy' not allowed" },
  { set: "crds.kep=false", says: "at '/crds': additional properties 'kep' not allowed" },
  { set: "crds.keep=null", says: "at '/crds': missing property 'keep'" },
  { set: "cleanupHook.timeout=-1", says: "at '/cleanupHook/timeout': minimum: got -1, want 30" },
  { set: "cleanupHook.timeout=5", says: "at '/cleanupHook/timeout': minimum: got 5, want 30" },
  { set: "replicaCount=two", says: "at '/replicaCount': got string, want integer" },
  { set: "defaultDomainReclaimPolicy=Keep", says: "at '/defaultDomainReclaimPolicy'" },
  { set: "log.level=trace", says: "at '/log/level'" },
  { set: "ingress.controllerName=no slash", says: "at '/ingress/controllerName'" },
  { set: "gateway.controllerName=ngrok", says: "at '/gateway/controllerName'" },
  { set: "ngrokApi.callsPerMinute=-1", says: "at '/ngrokApi/callsPerMinute': minimum: got -1, want 0" },
  { set: "apiURL=api.ngrok.com", says: "at '/apiURL'" },
  { set: "extraEnv.A.value=x", says: "at '/extraEnv/A'" },
] as const;
