from threading import Timer
