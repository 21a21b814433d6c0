variable "ngrok_api_key" {
  type      = string
  sensitive = true
}

variable "ngrok_authtoken" {
  type      = string
  sensitive = true
}

resource "kubernetes_namespace" "ngrok" {
  metadata {
    name = "ngrok-operator"
  }
}

# Terraform's state holds what is in it: where that is not to be, make the Secret outside, and before the release.
resource "kubernetes_secret" "ngrok" {
  metadata {
    name      = "ngrok-credentials"
    namespace = kubernetes_namespace.ngrok.metadata[0].name
  }

  data = {
    API_KEY   = var.ngrok_api_key
    AUTHTOKEN = var.ngrok_authtoken
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

  # By its reference the Secret is destroyed after the release, too: under Delete a drain without the key is refused.
  values = [<<-YAML
    drainPolicy: Retain
    cleanupHook:
      timeout: 900
    credentials:
      secret:
        name: ${kubernetes_secret.ngrok.metadata[0].name}
  YAML
  ]
}
