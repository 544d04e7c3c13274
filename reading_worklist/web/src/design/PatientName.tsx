import type { Patient } from '../api/types';
import { formatAge } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import './patient.css';

/** The patient's name as a doctor reads it; a name whose character set was inferred is marked. */
export function PatientName({ patient }: { patient: Patient }) {
  const { t } = useLanguage();
  if (patient.name === '') return <span className="patient-nameless">{t('patient.noName')}</span>;
  return (
    <>
      {patient.name}
      {patient.name_guessed && (
        <abbr className="patient-guessed" title={t('patient.nameGuessed')}>
          ?
        </abbr>
      )}
    </>
  );
}

/** `女 67岁`, `F 67 y`; a dash when neither is known. */
export function SexAge({ patient }: { patient: Patient }) {
  const { t, language } = useLanguage();
  const sex = patient.sex === 'M' || patient.sex === 'F' || patient.sex === 'O' ? t(`sex.${patient.sex}`) : null;
  const age = patient.age === null ? null : formatAge(language, patient.age);
  return <>{[sex, age].filter((part) => part !== null).join(' ') || t('app.none')}</>;
}
