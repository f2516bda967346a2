/** What the tests read is plain: picocolors colours wherever it sees CI or FORCE_COLOR, and Node warns of both settings. */
delete process.env['FORCE_COLOR'];
process.env['NO_COLOR'] = '1';
