// AccessLog
