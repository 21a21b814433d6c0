// TLS to the binding ingress, and the one thing that it has to hear first. For those who stand in the forwarder's place.
import { connect, type SecureContext, type TLSSocket } from "node:tls";

/**
 * A connection of the endpoint that `hello` (base64) names, paused, with the ingress's answer taken off. Rejects when TLS
 * cannot be.
 */
export async function wayIn(port: number, hello: string, secureContext: SecureContext): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", secureContext });
  socket.setNoDelay(true);
  socket.write(Buffer.from(hello, "base64"));
  return await new Promise((resolve, reject) => {
    socket.once("error", reject).once("data", (answer: Buffer) => {
      socket.off("error", reject).pause();
      socket.unshift(answer.subarray(2 + answer.readUInt16LE()));
      resolve(socket);
    });
  });
}
