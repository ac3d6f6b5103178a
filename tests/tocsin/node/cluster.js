// Four workers of one service, started one after another: told apart by their pids alone.
const cluster = require('node:cluster');

if (cluster.isPrimary) {
  [5, 1, 2, 4].forEach((perTick, place) => {
    setTimeout(() => cluster.fork({ ORDERS_A_TICK: perTick }), place * 300);
  });
} else {
  require('./worker.js');
}
