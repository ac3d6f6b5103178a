// A service that logs within a span, by the SDK with its default settings; prints the trace's id.
const { trace } = require('@opentelemetry/api');
const { logs, SeverityNumber } = require('@opentelemetry/api-logs');
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${process.env.ENCODING}`);

const exporter = new OTLPLogExporter({ url: process.env.ENDPOINT });
const sdk = new NodeSDK({
  serviceName: `till-${process.env.ENCODING}`,
  logRecordProcessors: [new BatchLogRecordProcessor({ exporter })],
});
sdk.start();

const logger = logs.getLogger('drawer');
trace.getTracer('till').startActiveSpan('close', async (span) => {
  for (let number = 0; number < 20; number += 1) {
    logger.emit({
      severityNumber: number ? SeverityNumber.INFO : SeverityNumber.ERROR,
      severityText: number ? 'info' : 'error',
      body: number ? `counted 抽屉 ${number}` : 'the drawer is jammed',
      attributes: { number, till: { floor: 2 } },
    });
  }
  span.end();
  await sdk.shutdown();
  console.log(span.spanContext().traceId);
});
