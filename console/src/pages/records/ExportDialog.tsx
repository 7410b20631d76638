// An export: streamed into a file, with what has come so far, and a way to stop.
import { Button, Form, Modal, Radio } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { pathOf, send } from '../../api/client';
import type { Problem } from '../../api/types';
import { problemOf } from '../../app/load';
import { useWords } from '../../i18n';
import { bytes, count } from '../../lib/format';
import { ZONE_NAME, parse, show } from '../../lib/time';
import { Pairs } from '../../ui/Bits';
import { ReasonField } from '../../ui/Reason';
import { Failed } from '../../ui/State';

interface Props { kind: string; from: string; to: string; onClose: () => void }
interface Sink { write: (part: Uint8Array<ArrayBuffer>) => Promise<void>; close: () => Promise<void>; abort: () => Promise<void> }
type State = { at: 'form' } | { at: 'running' | 'done' | 'stopped'; bytes: number; lines: number };

type Picker = (options: { suggestedName: string }) => Promise<{ createWritable: () => Promise<{ write: (p: Uint8Array<ArrayBuffer>) => Promise<void>; close: () => Promise<void>; abort: () => Promise<void> }> }>;

/** Straight to the disk where the browser can; else gathered and handed over at the end. Null: the person chose no file. */
async function sinkOf(name: string): Promise<Sink | null> {
  const pick = (window as unknown as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (pick) {
    try {
      return await (await pick({ suggestedName: name })).createWritable();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return null;
    }
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  return {
    write: async (part) => { parts.push(part); },
    abort: async () => { parts.length = 0; },
    close: async () => {
      const url = URL.createObjectURL(new Blob(parts));
      const link = document.createElement('a');
      link.href = url;
      link.download = name;
      document.body.append(link);
      link.click();
      link.remove();
      window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  };
}

export function ExportDialog({ kind, from, to, onClose }: Props) {
  const { t, code } = useWords();
  const [form] = Form.useForm<{ reason: string; format: string }>();
  const [state, setState] = useState<State>({ at: 'form' });
  const [problem, setProblem] = useState<Problem | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  const run = async (values: { reason: string; format: string }): Promise<void> => {
    setProblem(null);
    const name = `${kind}-${show(parse(from), 'minute').replace(/[: ]/g, '')}.${values.format}`;
    const sink = await sinkOf(name);
    if (!sink) return;
    const abort = new AbortController();
    stop.current = abort;
    let size = 0;
    let lines = 0;
    let told = 0;
    try {
      setState({ at: 'running', bytes: 0, lines: 0 });
      const response = await send('POST', pathOf('/records/export'), { kind, from, to, format: values.format, reason: values.reason.trim() }, abort.signal);
      const reader = response.body?.getReader();
      for (;;) {
        const part = await reader?.read();
        if (!part || part.done) break;
        await sink.write(part.value as Uint8Array<ArrayBuffer>);
        size += part.value.length;
        for (const byte of part.value) if (byte === 10) lines += 1;
        if (performance.now() - told > 120) {
          told = performance.now();
          setState({ at: 'running', bytes: size, lines });
        }
      }
      await sink.close();
      setState({ at: 'done', bytes: size, lines: Math.max(0, values.format === 'csv' ? lines - 1 : lines) });
    } catch (error) {
      await sink.abort().catch(() => undefined);
      if (abort.signal.aborted) setState({ at: 'stopped', bytes: size, lines });
      else {
        setProblem(problemOf(error));
        setState({ at: 'form' });
      }
    }
  };
  const running = state.at === 'running';
  return (
    <Modal
      open title={t('export.title')} onCancel={() => { stop.current?.abort(); onClose(); }} mask={{ closable: !running }} destroyOnHidden
      footer={state.at === 'form'
        ? [<Button key="c" onClick={onClose}>{t('do.cancel')}</Button>, <Button key="o" type="primary" onClick={() => form.submit()}>{t('export.go')}</Button>]
        : running
          ? [<Button key="s" danger onClick={() => stop.current?.abort()}>{t('export.stop')}</Button>]
          : [<Button key="d" type="primary" onClick={onClose}>{t('do.close')}</Button>]}
    >
      <div className="stack">
        <Pairs of={[[t('records.kind'), code('record', kind)], [t('col.from'), `${show(parse(from))} ${ZONE_NAME}`], [t('col.to'), `${show(parse(to))} ${ZONE_NAME}`]]} />
        {state.at === 'form' ? (
          <Form form={form} layout="vertical" requiredMark={false} initialValues={{ format: 'csv' }} onFinish={(values) => void run(values)}>
            <Form.Item name="format" label={t('export.format')}>
              <Radio.Group><Radio value="csv">CSV</Radio><Radio value="jsonl">JSON Lines</Radio></Radio.Group>
            </Form.Item>
            <ReasonField />
            <p className="dim small">{t('export.note')}</p>
            {problem && <Failed problem={problem} />}
          </Form>
        ) : (
          <div role="status" className={`note ${state.at === 'done' ? 'ok' : state.at === 'stopped' ? 'warn' : ''}`}>
            <b>{t(`export.${state.at}`)}</b> <span className="num">{t('export.sofar', { rows: count(state.lines), size: bytes(state.bytes) })}</span>
            {running && <div className="progress" aria-hidden="true"><i /></div>}
          </div>
        )}
      </div>
    </Modal>
  );
}
