// IncidentReport
