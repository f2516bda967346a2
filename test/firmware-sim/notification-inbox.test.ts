import { describe, expect, it } from 'vitest';
import { notificationInbox } from '../../firmware-sim/live/notification-inbox.js';

const open = new Promise<void>(() => undefined);

describe('the inbox of a link', () => {
  it('gives in order what came, up to eight', async () => {
    const inbox = notificationInbox();
    for (let n = 0; n < 9; n += 1) inbox.push(Uint8Array.of(n));
    for (let n = 0; n < 8; n += 1) expect(await inbox.next(1000, open)).toEqual(Uint8Array.of(n));
    await expect(inbox.next(1, open)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('gives nothing more when the time is up, though something waits', async () => {
    const inbox = notificationInbox();
    inbox.push(Uint8Array.of(1));
    await expect(inbox.next(0, open)).rejects.toMatchObject({ code: 'timeout' });
    await expect(inbox.next(-5, open)).rejects.toMatchObject({ code: 'timeout' });
    expect(await inbox.next(1000, open)).toEqual(Uint8Array.of(1));
  });

  it('gives what came before the connection went, and then says so', async () => {
    const inbox = notificationInbox();
    inbox.push(Uint8Array.of(1));
    inbox.close();
    expect(await inbox.next(1000, open)).toEqual(Uint8Array.of(1));
    await expect(inbox.next(1000, open)).rejects.toMatchObject({ code: 'closed' });
  });
});
