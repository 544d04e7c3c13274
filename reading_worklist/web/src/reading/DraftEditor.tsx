import { App } from 'antd';
import { useCallback, useState } from 'react';
import { useBlocker } from 'react-router';

import { asProblem } from '../api/problem';
import type { CheckFinding, FilledText, Template, WorkitemDetail } from '../api/types';
import { serverNow } from '../api/serverClock';
import { ProblemNotice } from '../design/Notice';
import { useShortcuts } from '../design/shortcuts';
import { languageOf } from '../ecg/statements/statements';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { usePriors } from '../priors/queries';
import { useSession } from '../session/session';
import type { Act } from './act';
import { AmendingBanner } from './AmendingBanner';
import { ChecksList } from './ChecksList';
import { CodesForm } from './CodesForm';
import { ConflictDialog } from './ConflictDialog';
import { DraftActions, type Signature } from './DraftActions';
import { DraftStatusLine } from './DraftStatusLine';
import { EcgWriting } from './EcgWriting';
import { ElsewhereNotice } from './ElsewhereNotice';
import { appended, type Insertion, useInsertionTarget } from './insertions';
import { RecoverDialog } from './RecoverDialog';
import { type Area, FIELDS, isBlank, LONGEST_TEXT, requiredFields } from './reportFields';
import { ReportFieldArea } from './ReportFieldArea';
import { ReportTextView, useFieldName } from './ReportTextView';
import { SignDialog } from './SignDialog';
import { EarlierSubmissions, ReturnedNotice } from './Submissions';
import { TemplateDialog } from './TemplateDialog';
import { useDraft } from './useDraft';
import { useFields } from './useFields';
import { useTakeOver } from './useTakeOver';
import { fetchChecks, useChecks, useSnippets, useWritingAids } from './writing';
import { WritingTools } from './WritingTools';

/** Writing: three texts and the codes, which save themselves; what helps; and the writer's signature. */
export function DraftEditor({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { data: session } = useSession();
  const draft = useDraft(item.id, session?.person.id ?? '', item.draft);
  const { saver, snapshot } = draft;
  const { text, status, dirty } = snapshot;
  const aids = useWritingAids(item.id, item.draft?.template_id ?? null);
  const checks = useChecks(item.id, item.draft?.revision ?? 0);
  const snippets = useSnippets();
  const fields = useFields();
  const nameOf = useFieldName(item.lane);
  const [signing, setSigning] = useState<{ signature: Signature; warnings: readonly CheckFinding[] } | null>(null);
  const [choosing, setChoosing] = useState(false);
  const [picking, setPicking] = useState(false);
  const [foundAt, setFoundAt] = useState(0);
  const readOnly = draft.role !== 'here';
  const adds = item.amending_kind === 'addendum';
  const written = !isBlank(text);
  const reportLanguage = languageOf(text.impression + text.findings);
  const findings = checks.data?.findings ?? [];
  const priors = usePriors(item.id);
  const compares = text.comparison !== '' || (priors.data?.items.length ?? 0) > 0;
  const areas: readonly Area[] = adds
    ? ['addendum']
    : compares
      ? ['findings', 'comparison', 'impression', 'advice']
      : FIELDS;
  const required: readonly Area[] = adds ? ['addendum'] : requiredFields(item.lane);
  const takeOver = useTakeOver(item, saver, fields);

  useBlocker(() => dirty && (status.kind === 'failed' || status.kind === 'conflict') && !confirm(t('draft.leave')));
  useInsertionTarget(
    useCallback(
      ({ field, text: more }: Insertion) => {
        const into: Area = adds ? 'addendum' : field;
        const longer = appended(saver.snapshot().text[into], more);
        if (longer.length <= LONGEST_TEXT) saver.change({ [into]: longer });
      },
      [saver, adds],
    ),
  );

  const goTo = (finding: CheckFinding): void => {
    if (finding.part === null) {
      document.querySelector<HTMLElement>('.codes input')?.focus();
      return;
    }
    fields.select({ field: finding.part, start: finding.start, end: finding.end });
  };
  const startSigning = async (signature: Signature): Promise<void> => {
    if (readOnly) return;
    const missing = required.find((field) => saver.snapshot().text[field].trim() === '');
    if (missing !== undefined) {
      void message.warning(t('action.missing', { field: nameOf(missing) }));
      fields.focus(missing);
      return;
    }
    if (!(await saver.flush())) return;
    // The page may show the checks of the text before the last key. When they cannot be asked, the server still checks.
    const found = await fetchChecks(item.id).then(
      (result) => result.findings,
      () => findings,
    );
    const stopped = found.find((one) => one.severity === 'block');
    if (stopped !== undefined) {
      void message.warning(t('checks.stopped'));
      goTo(stopped);
      return;
    }
    setSigning({ signature, warnings: found });
  };
  const nextPlace = (): void => {
    if (!fields.toNextPlace(saver.snapshot().text)) void message.info(t('writing.noPlace'));
  };
  const nextFinding = (): void => {
    const finding = findings[foundAt % Math.max(findings.length, 1)];
    if (finding === undefined) return;
    setFoundAt(foundAt + 1);
    goTo(finding);
  };
  const choose = (): void => {
    // The dialog comes as soon as the templates are here.
    if (!readOnly && !adds) setChoosing(true);
  };
  const insertTemplate = async (template: Template, filled: FilledText): Promise<void> => {
    setChoosing(false);
    const { findings: seen, impression, advice, open } = filled;
    const done = await takeOver.take({ findings: seen, impression, advice }, template.body.title, template.id);
    if (done && open.length > 0) requestAnimationFrame(() => fields.toNextPlace(saver.snapshot().text));
  };
  useShortcuts({
    'ctrl+s': () => void saver.flush(),
    'ctrl+Enter': () => void startSigning('submit'),
    'alt+1': () => fields.focus('findings'),
    'alt+2': () => fields.focus('impression'),
    'alt+3': () => fields.focus('advice'),
    'alt+4': () => fields.focus('comparison'),
    'alt+a': choose,
    'alt+g': nextPlace,
    'alt+l': adds ? () => undefined : () => void takeOver.lastNormal(),
    'alt+x': nextFinding,
  });

  return (
    <>
      <div className="report-scroll report-editor">
        <AmendingBanner item={item} />
        <ReturnedNotice submission={item.submissions.at(-1)} item={item} revision={item.draft?.revision ?? 0} />
        {readOnly && <ElsewhereNotice taking={draft.role === 'taking'} onTake={draft.takeOver} />}
        {status.kind === 'refused' && (
          <ProblemNotice heading={t('draft.refused')} error={status.problem} onRetry={() => void saver.flush()} />
        )}
        {adds ? (
          <ReportTextView lane={item.lane} text={{ ...text, addendum: '' }} />
        ) : (
          <WritingTools
            text={text}
            findings={written ? findings : []}
            disabled={readOnly}
            onNextFinding={nextFinding}
            onTemplates={choose}
            onStatements={item.lane === 'ecg' ? () => setPicking(true) : null}
            onLastNormal={() => void takeOver.lastNormal()}
            onNextPlace={nextPlace}
          />
        )}
        {areas.map((field) => (
          <ReportFieldArea
            key={field}
            name={nameOf(field)}
            className={`field-${field}`}
            required={required.includes(field)}
            readOnly={readOnly}
            value={text[field]}
            snippets={snippets.data ?? []}
            areaRef={fields.ref(field)}
            onChange={(value) => saver.change({ [field]: value })}
            onExpanded={(caret) => fields.caretSoon(field, caret)}
          />
        ))}
        {item.lane === 'ecg' && !adds && (
          <EcgWriting
            id={item.id}
            text={text}
            saver={saver}
            disabled={readOnly}
            picking={picking}
            onPicking={(open) => {
              setPicking(open);
              // The dialog lets go of the focus when it has gone.
              if (!open) requestAnimationFrame(() => fields.focus('impression'));
            }}
          />
        )}
        {aids.data !== undefined && !adds && (
          <CodesForm
            offered={aids.data.codes}
            codes={text.codes}
            disabled={readOnly}
            onChange={(codes) => saver.change({ codes })}
          />
        )}
        {written && item.draft !== null && <ChecksList findings={findings} failed={checks.isError} onGo={goTo} />}
        <EarlierSubmissions item={item} />
      </div>
      <DraftStatusLine
        status={status}
        note={
          item.lease_until === null ? null : t('draft.lease', { time: formatShortTime(item.lease_until, serverNow()) })
        }
      />
      <DraftActions
        item={item}
        busy={busy}
        disabled={readOnly}
        act={act}
        flush={() => saver.flush()}
        onSign={(signature) => void startSigning(signature)}
      />
      {choosing && aids.data !== undefined && (
        <TemplateDialog
          aids={aids.data}
          language={reportLanguage ?? language}
          onInsert={(template, filled) => void insertTemplate(template, filled)}
          onClose={() => setChoosing(false)}
        />
      )}
      {signing !== null && (
        <SignDialog
          kind={signing.signature}
          item={item}
          written={reportLanguage}
          warnings={signing.warnings}
          onSign={async (pin, printed, reasons) => {
            try {
              await act({ act: signing.signature, revision: saver.revision, pin, language: printed, reasons });
            } catch (error) {
              if (asProblem(error).code === 'report-checks') void checks.refetch();
              throw error;
            }
          }}
          onClose={() => setSigning(null)}
        />
      )}
      {status.kind === 'conflict' && <ConflictDialog item={item} saver={saver} mine={text} />}
      {draft.kept !== null && !readOnly && (
        <RecoverDialog
          item={item}
          kept={draft.kept}
          server={text}
          revision={saver.revision}
          onRestore={draft.restore}
          onDiscard={draft.discard}
        />
      )}
    </>
  );
}
