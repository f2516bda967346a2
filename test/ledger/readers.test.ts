import { onTestFinished } from 'vitest';
import { serveLedgerHttp } from '../../ledger/http/server.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { openLedgerReaderHttp } from '../../ledger/readers/reader-http.js';
import { silentLog } from '../../protocol/log.js';
import { testLedgerReader } from '../contracts/ledger-reader-contract.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer, temporaryFolder } from './deployment.js';

async function ledgerOf300(): Promise<Ledger> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  onTestFinished(() => ledger.close());
  for (const seq of [0, 1, 2]) {
    await ledger.submit(
      batchOf(
        officer,
        seq,
        Array.from({ length: 100 }, (_, i) => noticeItem(`${seq}/${i}`)),
      ),
    );
  }
  return ledger;
}

const { payload } = noticeItem('2/41');

testLedgerReader('the reader of the store', async () => {
  const ledger = await ledgerOf300();
  return { reader: ledger.reader(), verifier: logSigner, payload };
});

testLedgerReader('the reader over HTTP', async () => {
  const ledger = await ledgerOf300();
  const http = await serveLedgerHttp({
    reader: ledger.reader(),
    port: 0,
    payloadToken: 'open sesame',
    log: silentLog,
  });
  onTestFinished(() => http.close());
  return {
    reader: openLedgerReaderHttp({ url: http.url, token: 'open sesame' }),
    verifier: logSigner,
    payload,
  };
});
