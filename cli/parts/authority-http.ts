/** The authority's two listeners, both on the loopback: what a proxy may make public, and the desk that enrols. */
import type { Authority } from '../../authority/authority.js';
import { openEnrolmentHttp, type EnrolmentService } from '../../authority/http.js';
import type { Clock } from '../../protocol/clock.js';
import type { Log } from '../../protocol/log.js';
import type { OnClose } from './context.js';

export interface AuthorityPorts {
  /** Renewals, audits and the time; 0 takes a free one. */
  readonly httpPort: number;
  /** Enrolment besides; 0 takes a free one. */
  readonly enrolPort: number;
}

export interface AuthorityAddresses {
  readonly publicUrl: string;
  /** What the processes of the folder ask: the desk answers all there is. */
  readonly deskUrl: string;
}

/** Each has its own slots: a crowd at the public one keeps nobody from the desk. Throws `port-in-use`, `permission`, `input`. */
export async function startAuthorityHttp(
  authority: Pick<Authority, 'enrol' | 'renew'>,
  audit: (request: Uint8Array) => Promise<Uint8Array>,
  { httpPort, enrolPort }: AuthorityPorts,
  { log, clock, onClose }: { readonly log: Log; readonly clock: Clock; readonly onClose: OnClose },
): Promise<AuthorityAddresses> {
  const listen = async (service: EnrolmentService, port: number): Promise<string> => {
    const http = await openEnrolmentHttp({ service, log, port });
    onClose(() => http.close());
    return `http://127.0.0.1:${http.port}`;
  };
  const shared: EnrolmentService = {
    renew: (report) => authority.renew(report),
    audit,
    nowMs: () => clock.nowMs(),
  };
  const publicUrl = await listen(shared, httpPort);
  const deskUrl = await listen(
    { ...shared, enrol: (request, tag) => authority.enrol(request, tag) },
    enrolPort,
  );
  return { publicUrl, deskUrl };
}
