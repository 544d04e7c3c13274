import type { components, paths } from './schema';

type Schemas = components['schemas'];

export type Session = Schemas['SessionView'];
export type Workitem = Schemas['WorkitemView'];
export type WorklistLine = Schemas['WorklistLine'];
/** What is asked of the worklist; what is left out asks nothing. */
export type WorklistFilter = Partial<Schemas['WorklistFilter']>;
export type SavedView = Schemas['SavedView'];
export type ViewBody = Schemas['ViewBody'];
export type Preferences = Schemas['Preferences'];
export type Assignee = Schemas['Reader'];
export type Assignments = Schemas['Assignments'];
export type ReadingGroup = Schemas['GroupView'];
export type Board = Schemas['Board'];
export type LaneBoard = Schemas['LaneBoard'];
export type WorkitemPage = Schemas['WorkitemPage'];
export type WorkitemDetail = Schemas['WorkitemDetail'];
export type Series = Schemas['SeriesView'];
export type QualityNote = Schemas['QualityNoteView'];
export type EcgChecked = Schemas['EcgChecked'];
export type EcgFinding = Schemas['EcgQualityFinding'];
export type SeriesPicture = Schemas['SeriesPicture'];
export type Draft = Schemas['DraftView'];
export type Submission = Schemas['SubmissionView'];
export type ReportVersion = WorkitemDetail['versions'][number];
export type DeliveryStep = Schemas['DeliveryStep'];
export type Timeline = Schemas['Timeline'];
export type Patient = Schemas['PatientView'];
export type Study = Schemas['StudyView'];
export type Site = Schemas['SiteView'];
export type EcgRecord = Schemas['EcgRecordView'];
export type EcgOpening = Schemas['EcgOpening'];
export type EcgMeasured = Schemas['EcgMeasured'];
export type EcgQuantity = Schemas['EcgQuantity'];
export type EcgCorrections = Required<Schemas['EcgCorrections']>;
export type EcgSerial = Schemas['EcgSerial'];
export type EcgAnalyses = Schemas['EcgAnalysesView'];
export type EcgAnalysed = Schemas['EcgAnalysed'];
export type WaitingEcg = Schemas['WaitingEcg'];
export type AnsweredEcg = Schemas['AnsweredEcg'];
export type EmergencyIndicators = Schemas['EmergencyIndicators'];
export type ChestPainInterval = Schemas['IntervalView'];
export type CountedEcg = Schemas['CountedEcg'];
export type EcgCriticalList = Schemas['EcgCriticalListView'];
export type CriticalRuleset = Schemas['CriticalRuleset'];
export type EmergencyMoment = Schemas['MomentView'];
export type Ambulatory = Schemas['AmbulatoryView'];
export type EcgOverview = Schemas['OverviewView'];
/** By its address: two parts of the API name a model so. */
export type Verification =
  paths['/api/reports/{version_id}/verification']['get']['responses'][200]['content']['application/json'];
export type Exam = Schemas['ExamView'];
export type ExamDetail = Schemas['ExamDetail'];
export type ExamPage = Schemas['ExamPage'];
export type ExamStep = Schemas['ExamStep'];
export type Need = Schemas['Need'];
export type Home = Schemas['HomeView'];
export type Kept = Schemas['KeptView'];
export type RecallNotice = Schemas['RecallNotice'];
export type StatisticsRow = Schemas['StatisticsRow'];
export type Rate = Schemas['Rate'];
export type Measure = Schemas['Measure'];
export type Procedure = Schemas['ProcedureView'];
export type SitePatient = Schemas['SitePatient'];
export type EarlierExam = Schemas['EarlierExam'];
export type LedgerLine = Schemas['LedgerLine'];
export type LedgerDetail = Schemas['LedgerDetail'];
export type StuckReason = Schemas['StuckReason'];
export type StuckRule = Schemas['Stuck'];
export type RecallRecipient = Schemas['RecallRecipientView'];
export type DeliveryQueue = Schemas['QueueView'];
export type Destination = Schemas['DestinationView'];
export type SiteTest = Schemas['SiteTestView'];
export type SiteTestFinding = Schemas['FindingView'];
export type SiteTestSummary = Schemas['SiteTestSummary'];
export type Delivery = Schemas['DeliveryView'];
export type DeliveryDetail = Schemas['DeliveryDetail'];
export type QuarantineRow = Schemas['QuarantineView'];
export type Case = Schemas['CaseView'];
export type CaseDetail = Schemas['CaseDetail'];
export type ComparedRow = Schemas['ComparedRow'];
export type Difference = Case['differences'][number];
export type KnownPatient = Schemas['KnownPatient'];
export type NewPatient = Schemas['NewPatientBody'];
export type Order = Schemas['OrderView'];
export type QuarantineDetail = Schemas['QuarantineDetail'];
export type StoredVersion = NonNullable<QuarantineDetail['newcomer']>;
export type SiteUsage = Schemas['SiteUsage'];
export type DuePatient = Schemas['DuePatient'];
export type Purge = Schemas['PurgeView'];
export type PurgeDetail = Schemas['PurgeDetail'];
export type LegalHold = Schemas['HoldView'];
export type PatientCopyPreview = Schemas['PatientCopyPreview'];
export type PatientCopyBody = Schemas['PatientCopyBody'];
export type WhoseCopyBody = Schemas['WhoseCopyBody'];

export type CriticalValue = Schemas['CriticalView'];
export type CriticalDetail = Schemas['CriticalDetail'];
export type CriticalState = CriticalValue['state'];
export type CriticalNotice = CriticalDetail['notices'][number];
export type CriticalContact = CriticalDetail['contacts'][number];
export type CriticalClocks = Schemas['ClocksBody'];
export type Retake = Schemas['RetakeView'];
export type RetakeState = Retake['state'];
export type RetakeReason = NonNullable<Retake['reason_code']>;
export type Consultation = Schemas['ConsultationView'];
export type ConsultationState = Consultation['state'];
export type Expert = Schemas['ExpertView'];
export type PhoneTask = Schemas['PhoneTask'];
export type Preliminary = Schemas['PreliminaryView'];

export type ActingChoice = Schemas['ActingChoiceView'];
export type IdentityNotice = Schemas['IdentityNotice'];
export type RetentionRule = Schemas['RetentionRuleView'];

export type KeyImage = Schemas['KeyImageView'];
export type Measurement = Schemas['MeasurementView'];
export type Measured = Schemas['MeasuredView'];
export type Priors = Schemas['Priors'];
export type PriorStudy = Schemas['PriorStudy'];
export type PriorReport = Schemas['PriorReport'];
export type PriorPurpose = PriorReasonBody['purpose'];
export type ExamNote = Schemas['NoteView'];
export type NoteThread = Schemas['Thread'];

type PriorReasonBody =
  paths['/api/workitems/{workitem_id}/priors/reason']['post']['requestBody']['content']['application/json'];

export type State = Workitem['state'];
export type Lane = Workitem['lane'];
export type Priority = Workitem['priority'];
export type DeliveryState = Delivery['state'];
export type ExamState = Order['state'];

/** The three texts of a report. */
export interface ReportText {
  findings: string;
  impression: string;
  advice: string;
}

export type Codes = Schemas['Codes'];
export type DraftEcg = Schemas['DraftEcg'];
export type EcgStatement = Schemas['StatementView'];
export type EcgValue = Schemas['EcgValue'];
export type CodeName = Schemas['OfferedCode']['name'];
export type OfferedCode = Schemas['OfferedCode'];
export type CheckFinding = Schemas['CheckFinding'];
export type CheckResult = Schemas['CheckResult'];
export type WritingAids = Schemas['WritingAids'];
export type Template = Schemas['TemplateView'];
export type TemplateBody = Schemas['TemplateBody'];
export type TemplateField = Schemas['TemplateField'];
export type FilledText = Schemas['FilledText'];
export type Snippet = Schemas['SnippetView'];
export type FieldDifference = Schemas['FieldDifference'];

/** What a writer's page saves. */
export interface DraftContent extends ReportText {
  /** With earlier exams, in words. */
  comparison: string;
  /** What is added to a report that stands; the other texts are that report's then. */
  addendum: string;
  codes: Codes;
  template_id: string | null;
  ecg: DraftEcg;
}
