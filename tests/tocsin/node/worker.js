// One worker of a shop with the SDK's default settings: orders at a steady rate, the wait for each,
// and the orders at work. Prints what it counted when it ends.
const { metrics } = require('@opentelemetry/api');
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${process.env.ENCODING}`);

const perTick = Number(process.env.ORDERS_A_TICK);
const seconds = Number(process.env.SECONDS);
const exporter = new OTLPMetricExporter({ url: process.env.ENDPOINT });
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2000 });
const sdk = new NodeSDK({ serviceName: 'shop', metricReaders: [reader] });
sdk.start();

const meter = metrics.getMeter('shop');
const orders = meter.createCounter('shop.orders');
const wait = meter.createHistogram('shop.wait', { unit: 's' });
const atWork = meter.createUpDownCounter('shop.at.work');
atWork.add(perTick);
let counted = 0;
const timer = setInterval(() => {
  orders.add(perTick, { city: '東京', route: '/api/v1/{id}' });
  wait.record(0.25);
  counted += perTick;
}, 100);
setTimeout(async () => {
  clearInterval(timer);
  await sdk.shutdown();
  console.log(JSON.stringify({ counted }));
  process.exit(0);
}, seconds * 1000);
