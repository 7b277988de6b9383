// RUN: lamina-opt %s -p 'vec-prefetch{ahead=1024}' | filecheck %s

// CHECK-LABEL: func.func @stream_is_asked_for_a_page_ahead
// CHECK:         loop.for %k < 64 iter
// CHECK-NEXT:      vec.prefetch %w[%k + 8, 0] : memref<64x32xf32>
// CHECK-NEXT:      vec.load %w[%k, 0]
// CHECK-NEXT:      vec.prefetch %w[%k + 8, 16] : memref<64x32xf32>
// CHECK-NEXT:      vec.load %w[%k, 16]
func.func @stream_is_asked_for_a_page_ahead(%w: memref<64x32xf32>, %y: memref<32xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %r, %s = loop.for %k < 64 iter(%a = %zero, %b = %zero) : vector<16xf32> {
    %u = vec.load %w[%k, 0] : memref<64x32xf32> -> vector<16xf32>
    %v = vec.load %w[%k, 16] : memref<64x32xf32> -> vector<16xf32>
    %c = arith.addf %a, %u : vector<16xf32>
    %d = arith.addf %b, %v : vector<16xf32>
    loop.yield %c, %d : vector<16xf32>, vector<16xf32>
  }
  vec.store %r, %y[0] : vector<16xf32>, memref<32xf32>
  vec.store %s, %y[16] : vector<16xf32>, memref<32xf32>
  func.return
}

// 2 steps of 404 bytes are what fits: the lines asked for are those that will be read.
// CHECK-LABEL: func.func @whole_steps_are_asked_for
// CHECK:           vec.prefetch %w[%k + 2, 0] : memref<64x101xf32>
func.func @whole_steps_are_asked_for(%w: memref<64x101xf32>, %y: memref<16xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %r = loop.for %k < 64 iter(%a = %zero) : vector<16xf32> {
    %u = vec.load %w[%k, 0] : memref<64x101xf32> -> vector<16xf32>
    %c = arith.addf %a, %u : vector<16xf32>
    loop.yield %c : vector<16xf32>
  }
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: func.func @two_vectors_of_one_line_share_it
// CHECK-COUNT-1:   vec.prefetch
// CHECK-NOT:       vec.prefetch
func.func @two_vectors_of_one_line_share_it(%w: memref<128x16xf32>, %y: memref<8xf32>) {
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %r = loop.for %k < 128 iter(%a = %zero) : vector<8xf32> {
    %u = vec.load %w[%k, 0] : memref<128x16xf32> -> vector<8xf32>
    %v = vec.load %w[%k, 8] : memref<128x16xf32> -> vector<8xf32>
    %b = arith.addf %u, %v : vector<8xf32>
    %c = arith.addf %a, %b : vector<8xf32>
    loop.yield %c : vector<8xf32>
  }
  vec.store %r, %y[0] : vector<8xf32>, memref<8xf32>
  func.return
}

// 512 bytes are there before a prefetch of 1024 bytes ahead could help.
// CHECK-LABEL: func.func @short_stream_is_left_alone
// CHECK-NOT:     vec.prefetch
func.func @short_stream_is_left_alone(%w: memref<8x16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %r = loop.for %k < 8 iter(%a = %zero) : vector<16xf32> {
    %u = vec.load %w[%k, 0] : memref<8x16xf32> -> vector<16xf32>
    %b = arith.addf %a, %u : vector<16xf32>
    loop.yield %b : vector<16xf32>
  }
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: func.func @load_that_stays_in_place_is_left_alone
// CHECK-NOT:     vec.prefetch
func.func @load_that_stays_in_place_is_left_alone(%w: memref<16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %r = loop.for %k < 512 iter(%a = %zero) : vector<16xf32> {
    %u = vec.load %w[0] : memref<16xf32> -> vector<16xf32>
    %b = arith.addf %a, %u : vector<16xf32>
    loop.yield %b : vector<16xf32>
  }
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}
