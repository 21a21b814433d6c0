// How the host names of a listener and of a route meet.

/** Whether a route with this host name may use a listener with that one; `*` stands for every host on either side. */
export function hostsMeet(listener: string, route: string): boolean {
  if (route === "*") return true;
  // Of two patterns the listener's decides: a route may narrow what a listener serves, not widen it.
  if (route.includes("*") && listener.includes("*")) return globMatches(listener, route);
  return globMatches(listener, route) || globMatches(route, listener);
}

/** `*` stands for any text, dots included; upper and lower case are the same. Linear, whatever the pattern. */
export function globMatches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const host = text.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return host === first;
  if (!host.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = host.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return host.length - at >= last.length && host.endsWith(last);
}

/** Whether an address is an IP, which is never the host of an endpoint. */
export function isIpAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || text.includes(":");
}
