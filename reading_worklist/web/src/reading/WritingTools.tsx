import {
  ExclamationCircleOutlined,
  FileAddOutlined,
  RetweetOutlined,
  StepForwardOutlined,
  UnorderedListOutlined,
} from '@ant-design/icons';
import { Button } from 'antd';

import type { CheckFinding, ReportText } from '../api/types';
import { useLanguage } from '../i18n/language';
import { openPlaces } from './places';
import './writing.css';

/** What a report begins with, and the way through what is still open. */
export function WritingTools({
  text,
  findings,
  disabled,
  onNextFinding,
  onTemplates,
  onStatements,
  onLastNormal,
  onNextPlace,
}: {
  text: ReportText;
  findings: readonly CheckFinding[];
  disabled: boolean;
  onNextFinding: () => void;
  onTemplates: () => void;
  /** Null where there are none: only an ECG's report has statements. */
  onStatements: (() => void) | null;
  onLastNormal: () => void;
  onNextPlace: () => void;
}) {
  const { t } = useLanguage();
  const open = openPlaces(text).length;
  const blocks = findings.filter((one) => one.severity === 'block').length;
  return (
    <div className="writing-tools" role="toolbar" aria-label={t('writing.tools')}>
      <Button
        size="small"
        icon={<FileAddOutlined />}
        disabled={disabled}
        aria-keyshortcuts="Alt+A"
        onClick={onTemplates}
      >
        {t('writing.template')}
      </Button>
      {onStatements !== null && (
        <Button
          size="small"
          className="statement-button"
          icon={<UnorderedListOutlined />}
          disabled={disabled}
          aria-keyshortcuts="Alt+Y"
          onClick={onStatements}
        >
          {t('writing.statements')}
        </Button>
      )}
      <Button
        size="small"
        icon={<RetweetOutlined />}
        disabled={disabled}
        aria-keyshortcuts="Alt+L"
        onClick={onLastNormal}
      >
        {t('writing.lastNormal')}
      </Button>
      {open > 0 && (
        <Button
          size="small"
          type="dashed"
          className="writing-open"
          icon={<StepForwardOutlined />}
          disabled={disabled}
          aria-keyshortcuts="Alt+G"
          onClick={onNextPlace}
        >
          {t('writing.places', { n: open })}
        </Button>
      )}
      {findings.length > 0 && (
        <Button
          size="small"
          danger={blocks > 0}
          className="writing-findings"
          icon={<ExclamationCircleOutlined />}
          aria-keyshortcuts="Alt+X"
          onClick={onNextFinding}
        >
          {t('checks.short', { n: findings.length })}
        </Button>
      )}
    </div>
  );
}
