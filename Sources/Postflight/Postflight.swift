// Postflight
