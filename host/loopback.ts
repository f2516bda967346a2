/** Which addresses are this machine's own: what is said to them stays on it, and needs no TLS. */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;
const TLS: readonly string[] = ['https:', 'mqtts:', 'wss:'];

/** Of a host by name or address, an IPv6 one with or without the brackets that a URL puts around it. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Whether nobody on the way can read along. */
export const isTlsOrThisHost = ({ protocol, hostname }: URL): boolean =>
  TLS.includes(protocol) || isLoopback(hostname);
