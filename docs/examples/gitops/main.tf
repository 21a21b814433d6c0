resource "kubernetes_namespace" "ngrok" {
  metadata {
    name = "ngrok-operator"
  }
}

resource "helm_release" "ngrok" {
  name       = "ngrok-operator"
  repository = "oci://registry.example.com/charts"
  chart      = "ngrok-operator"
  version    = "0.1.0"

  # By this reference the namespace is destroyed after the release, never before it.
  namespace = kubernetes_namespace.ngrok.metadata[0].name

  # The same as cleanupHook.timeout. Never disable_webhooks, which is --no-hooks: the pre-delete hook is the uninstall.
  timeout = 900

  values = [<<-YAML
    drainPolicy: Retain
    cleanupHook:
      timeout: 900
    credentials:
      secret:
        name: ngrok-credentials
  YAML
  ]
}
