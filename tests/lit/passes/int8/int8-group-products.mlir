// RUN: lamina-opt %s -p 'int8-group-products{target="cpu:cascadelake"}' | filecheck %s
// RUN: lamina-opt %s -p 'int8-group-products{target="opencl:portable"}' | filecheck %s --check-prefix=CL

// CL-NOT: int8.dot4

// CHECK-LABEL: func.func @sums_beside_each_other_use_the_same_bytes(
// CHECK:         %[[U:.*]] = vec.load %w[0, 0] : memref<3x16xi8> -> vector<16xi8>
// CHECK-NEXT:    %[[V:.*]] = vec.load %w[1, 0] : memref<3x16xi8> -> vector<16xi8>
// CHECK-NEXT:    %[[W:.*]] = vec.load %w[2, 0] : memref<3x16xi8> -> vector<16xi8>
// CHECK-NEXT:    %[[Z:.*]] = arith.constant dense<0> : vector<16xi8>
// CHECK-NEXT:    %[[UV:.*]] = vec.shuffle %[[U]], %[[V]] [0, 1, 2
// CHECK-NEXT:    %[[WZ:.*]] = vec.shuffle %[[W]], %[[Z]] [0, 1, 2
// CHECK-NEXT:    %[[B:.*]] = vec.shuffle %[[UV]], %[[WZ]] [0, 16, 32, 48, 1, 17
// CHECK-NEXT:    %[[FIRST:.*]] = vec.bitcast %[[B]] : vector<64xi8> to vector<16x4xi8>
// CHECK-NEXT:    %[[ROW:.*]] = vec.load %x[%i, 0] : memref<9x16xui8> -> vector<64xi8>
// CHECK-NEXT:    %[[A:.*]] = vec.shuffle %[[ROW]], %[[ROW]] [0, 16, 32, 48, 1, 17
// CHECK-NEXT:    %[[GROUP:.*]] = vec.bitcast %[[A]] : vector<64xi8> to vector<16x4xi8>
// CHECK-NEXT:    %s3 = int8.dot4 %acc, %[[GROUP]], %[[FIRST]] : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
// CHECK-NEXT:    %[[EIGHT:.*]] = arith.constant dense<8> : vector<16xi32>
// CHECK-NEXT:    %[[BITS:.*]] = vec.bitcast %[[FIRST]] : vector<16x4xi8> to vector<16xi32>
// CHECK-NEXT:    %[[MOVED:.*]] = arith.shli %[[BITS]], %[[EIGHT]] : vector<16xi32>
// CHECK-NEXT:    %[[SECOND:.*]] = vec.bitcast %[[MOVED]] : vector<16xi32> to vector<16x4xi8>
// CHECK-NEXT:    %t3 = int8.dot4 %acc, %[[GROUP]], %[[SECOND]] : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
// CHECK-NEXT:    func.return %s3, %t3
func.func @sums_beside_each_other_use_the_same_bytes(%x: memref<9x16xui8>, %w: memref<3x16xi8>, %acc: vector<16xi32>, %i: index) -> (vector<16xi32>, vector<16xi32>) {
  %a0 = vec.load %x[%i, 0] : memref<9x16xui8> -> vector<16xi8>
  %a1 = vec.load %x[%i + 1, 0] : memref<9x16xui8> -> vector<16xi8>
  %a2 = vec.load %x[%i + 2, 0] : memref<9x16xui8> -> vector<16xi8>
  %a3 = vec.load %x[%i + 3, 0] : memref<9x16xui8> -> vector<16xi8>
  %b0 = vec.load %w[0, 0] : memref<3x16xi8> -> vector<16xi8>
  %b1 = vec.load %w[1, 0] : memref<3x16xi8> -> vector<16xi8>
  %b2 = vec.load %w[2, 0] : memref<3x16xi8> -> vector<16xi8>
  %x0 = vec.convert unsigned %a0 : vector<16xi8> to vector<16xi32>
  %x1 = vec.convert unsigned %a1 : vector<16xi8> to vector<16xi32>
  %x2 = vec.convert unsigned %a2 : vector<16xi8> to vector<16xi32>
  %x3 = vec.convert unsigned %a3 : vector<16xi8> to vector<16xi32>
  %w0 = vec.convert %b0 : vector<16xi8> to vector<16xi32>
  %w1 = vec.convert %b1 : vector<16xi8> to vector<16xi32>
  %w2 = vec.convert %b2 : vector<16xi8> to vector<16xi32>
  %p0 = arith.muli %x0, %w0 : vector<16xi32>
  %p1 = arith.muli %w1, %x1 : vector<16xi32>
  %p2 = arith.muli %x2, %w2 : vector<16xi32>
  %s1 = arith.addi %acc, %p0 : vector<16xi32>
  %s2 = arith.addi %p1, %s1 : vector<16xi32>
  %s3 = arith.addi %s2, %p2 : vector<16xi32>
  %q0 = arith.muli %x1, %w0 : vector<16xi32>
  %q1 = arith.muli %x2, %w1 : vector<16xi32>
  %q2 = arith.muli %x3, %w2 : vector<16xi32>
  %t1 = arith.addi %acc, %q0 : vector<16xi32>
  %t2 = arith.addi %t1, %q1 : vector<16xi32>
  %t3 = arith.addi %t2, %q2 : vector<16xi32>
  func.return %s3, %t3 : vector<16xi32>, vector<16xi32>
}

// What is mixed of %w is mixed before the loop over %h, not before the one around everything.
// CHECK-LABEL: func.func @factors_are_mixed_before_loops(
// CHECK:         loop.for %c < 2 parallel {
// CHECK-NEXT:      vec.load %w[%c, 0, 0]
// CHECK:           vec.bitcast
// CHECK-NEXT:      loop.for %h < 5 parallel {
// CHECK-NEXT:        %acc = arith.constant
// CHECK-NEXT:        vec.load %x[%c, %h, 0, 0] : memref<2x5x4x16xui8> -> vector<64xi8>
// CHECK-NEXT:        vec.shuffle
// CHECK-NEXT:        vec.bitcast
// CHECK-NEXT:        %s4 = int8.dot4
func.func @factors_are_mixed_before_loops(%x: memref<2x5x4x16xui8>, %w: memref<2x4x16xi8>, %y: memref<2x5x16xi32>) {
  loop.for %c < 2 parallel {
    loop.for %h < 5 parallel {
      %acc = arith.constant dense<0> : vector<16xi32>
      %a0 = vec.load %x[%c, %h, 0, 0] : memref<2x5x4x16xui8> -> vector<16xi8>
      %a1 = vec.load %x[%c, %h, 1, 0] : memref<2x5x4x16xui8> -> vector<16xi8>
      %a2 = vec.load %x[%c, %h, 2, 0] : memref<2x5x4x16xui8> -> vector<16xi8>
      %a3 = vec.load %x[%c, %h, 3, 0] : memref<2x5x4x16xui8> -> vector<16xi8>
      %b0 = vec.load %w[%c, 0, 0] : memref<2x4x16xi8> -> vector<16xi8>
      %b1 = vec.load %w[%c, 1, 0] : memref<2x4x16xi8> -> vector<16xi8>
      %b2 = vec.load %w[%c, 2, 0] : memref<2x4x16xi8> -> vector<16xi8>
      %b3 = vec.load %w[%c, 3, 0] : memref<2x4x16xi8> -> vector<16xi8>
      %x0 = vec.convert unsigned %a0 : vector<16xi8> to vector<16xi32>
      %x1 = vec.convert unsigned %a1 : vector<16xi8> to vector<16xi32>
      %x2 = vec.convert unsigned %a2 : vector<16xi8> to vector<16xi32>
      %x3 = vec.convert unsigned %a3 : vector<16xi8> to vector<16xi32>
      %w0 = vec.convert %b0 : vector<16xi8> to vector<16xi32>
      %w1 = vec.convert %b1 : vector<16xi8> to vector<16xi32>
      %w2 = vec.convert %b2 : vector<16xi8> to vector<16xi32>
      %w3 = vec.convert %b3 : vector<16xi8> to vector<16xi32>
      %p0 = arith.muli %x0, %w0 : vector<16xi32>
      %p1 = arith.muli %x1, %w1 : vector<16xi32>
      %p2 = arith.muli %x2, %w2 : vector<16xi32>
      %p3 = arith.muli %x3, %w3 : vector<16xi32>
      %s1 = arith.addi %acc, %p0 : vector<16xi32>
      %s2 = arith.addi %s1, %p1 : vector<16xi32>
      %s3 = arith.addi %s2, %p2 : vector<16xi32>
      %s4 = arith.addi %s3, %p3 : vector<16xi32>
      vec.store %s4, %y[%c, %h, 0] : vector<16xi32>, memref<2x5x16xi32>
    }
  }
  func.return
}

// Behind the three vectors of a row there may be nothing to read.
// CHECK-LABEL: func.func @three_vectors_are_no_group(
// CHECK-NOT:     int8.dot4
// CHECK:         func.return
func.func @three_vectors_are_no_group(%x: memref<3x16xui8>, %w: memref<3x16xi8>, %acc: vector<16xi32>) -> vector<16xi32> {
  %a0 = vec.load %x[0, 0] : memref<3x16xui8> -> vector<16xi8>
  %a1 = vec.load %x[1, 0] : memref<3x16xui8> -> vector<16xi8>
  %a2 = vec.load %x[2, 0] : memref<3x16xui8> -> vector<16xi8>
  %b0 = vec.load %w[0, 0] : memref<3x16xi8> -> vector<16xi8>
  %b1 = vec.load %w[1, 0] : memref<3x16xi8> -> vector<16xi8>
  %b2 = vec.load %w[2, 0] : memref<3x16xi8> -> vector<16xi8>
  %x0 = vec.convert unsigned %a0 : vector<16xi8> to vector<16xi32>
  %x1 = vec.convert unsigned %a1 : vector<16xi8> to vector<16xi32>
  %x2 = vec.convert unsigned %a2 : vector<16xi8> to vector<16xi32>
  %w0 = vec.convert %b0 : vector<16xi8> to vector<16xi32>
  %w1 = vec.convert %b1 : vector<16xi8> to vector<16xi32>
  %w2 = vec.convert %b2 : vector<16xi8> to vector<16xi32>
  %p0 = arith.muli %x0, %w0 : vector<16xi32>
  %p1 = arith.muli %x1, %w1 : vector<16xi32>
  %p2 = arith.muli %x2, %w2 : vector<16xi32>
  %s1 = arith.addi %acc, %p0 : vector<16xi32>
  %s2 = arith.addi %s1, %p1 : vector<16xi32>
  %s3 = arith.addi %s2, %p2 : vector<16xi32>
  func.return %s3 : vector<16xi32>
}

// CHECK-LABEL: func.func @what_is_overwritten_stays(
// CHECK-NOT:     int8.dot4
// CHECK:         func.return
func.func @what_is_overwritten_stays(%x: memref<4x16xui8>, %acc: vector<16xi32>, %v: vector<16xi8>) -> vector<16xi32> {
  %a0 = vec.load %x[0, 0] : memref<4x16xui8> -> vector<16xi8>
  %a1 = vec.load %x[1, 0] : memref<4x16xui8> -> vector<16xi8>
  %a2 = vec.load %x[2, 0] : memref<4x16xui8> -> vector<16xi8>
  %a3 = vec.load %x[3, 0] : memref<4x16xui8> -> vector<16xi8>
  %x0 = vec.convert unsigned %a0 : vector<16xi8> to vector<16xi32>
  %x1 = vec.convert unsigned %a1 : vector<16xi8> to vector<16xi32>
  %x2 = vec.convert unsigned %a2 : vector<16xi8> to vector<16xi32>
  %x3 = vec.convert unsigned %a3 : vector<16xi8> to vector<16xi32>
  %b = vec.convert %a0 : vector<16xi8> to vector<16xi32>
  %p0 = arith.muli %x0, %b : vector<16xi32>
  %p1 = arith.muli %x1, %b : vector<16xi32>
  %p2 = arith.muli %x2, %b : vector<16xi32>
  %p3 = arith.muli %x3, %b : vector<16xi32>
  vec.store %v, %x[2, 0] : vector<16xi8>, memref<4x16xui8>
  %s1 = arith.addi %acc, %p0 : vector<16xi32>
  %s2 = arith.addi %s1, %p1 : vector<16xi32>
  %s3 = arith.addi %s2, %p2 : vector<16xi32>
  %s4 = arith.addi %s3, %p3 : vector<16xi32>
  func.return %s4 : vector<16xi32>
}
