// /reserved_addrs: TCP addresses, which ngrok picks.
import { description, metadata, readFields, text } from "./body.ts";
import type { Remote } from "./collection.ts";
import { domainInUse } from "./errors.ts";
import type { Hosts } from "./hosts.ts";
import { newId, timestamp } from "./ids.ts";
import { resourceOf, type Resource } from "./resource.ts";

interface Address extends Remote {
  readonly created_at: string;
  description: string;
  metadata: string;
  readonly addr: string;
  readonly region: string;
}

const firstPort = 20_000;
const portsPerHost = 10_000;

export function reservedAddresses(hosts: Hosts): Resource {
  let given = 0;
  return resourceOf<Address>({
    name: "reserved_addrs",
    title: "Reserved Address",
    create(body, base) {
      const fields = readFields(body, { description, metadata, region: text });
      const id = newId("ra");
      const host = `${Math.floor(given / portsPerHost) + 1}.tcp.ngrok.io`;
      const addr = `${host}:${firstPort + (given % portsPerHost)}`;
      given += 1;
      const address: Address = {
        id,
        uri: `${base}/reserved_addrs/${id}`,
        created_at: timestamp(),
        description: fields.description ?? "",
        metadata: fields.metadata ?? "",
        addr,
        region: fields.region ?? "",
      };
      hosts.reserve(addr, address);
      return address;
    },
    update(address, body) {
      const fields = readFields(body, { description, metadata });
      address.description = fields.description ?? address.description;
      address.metadata = fields.metadata ?? address.metadata;
    },
    removed(address) {
      if (hosts.inUse(address.addr)) throw domainInUse(address.addr);
      hosts.release(address.addr);
    },
  });
}
