/** Listening on a TCP port, with an error that says what to do when it is taken. */
import type { AddressInfo, Server } from 'node:net';
import { FirebreakError } from '../protocol/errors.js';

function listenError(error: Error, where: string, what: string): FirebreakError {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new FirebreakError(
      'port-in-use',
      `${what} cannot use ${where}: the port is in use, choose another`,
      { cause: error },
    );
  }
  if (code === 'EACCES') {
    return new FirebreakError('permission', `${what} may not use ${where}: choose a port from 1024 on`, {
      cause: error,
    });
  }
  return new FirebreakError('input', `${what} cannot listen on ${where}: ${error.message}`, { cause: error });
}

/** Resolves with the address once the server listens. Throws `port-in-use`, `permission`, `input`. */
export function listenOn(server: Server, host: string, port: number, what: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, `${host}:${port}`, what));
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', fail);
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
      else reject(new FirebreakError('input', `${what} cannot listen on ${host}`));
    });
  });
}
