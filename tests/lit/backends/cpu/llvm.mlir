// RUN: lamina-opt %s -t 'lamina-llvm{target="cpu:skylake-avx512"}' | filecheck %s

// The loops around an index are where it joins an address: %k in the outer loop, %j in the inner.
// CHECK-LABEL: define void @addresses_grow_with_the_loops(ptr noalias %x, ptr noalias %y) nounwind "target-cpu"="skylake-avx512" "prefer-vector-width"="512" {
// CHECK-NEXT:  entry:
// CHECK-NEXT:    br label %[[OUTER:.*]]
// CHECK-NEXT:  [[OUTER]]:
// CHECK-NEXT:    %[[K:k.*]] = phi i64 [ 0, %entry ], [ %[[K1:.*]], %[[AFTER:.*]] ]
// CHECK-NEXT:    %[[KX:.*]] = mul i64 %[[K]], 128
// CHECK-NEXT:    %[[ROW:.*]] = getelementptr i8, ptr %x, i64 %[[KX]]
// CHECK-NEXT:    br label %[[INNER:.*]]
// CHECK-NEXT:  [[INNER]]:
// CHECK-NEXT:    %[[J:j.*]] = phi i64 [ 0, %[[OUTER]] ], [ %[[J1:.*]], %[[INNER]] ]
// CHECK-NEXT:    %[[JX:.*]] = mul i64 %[[J]], 4
// CHECK-NEXT:    %[[AT:.*]] = getelementptr i8, ptr %[[ROW]], i64 %[[JX]]
// CHECK-NEXT:    %[[A:.*]] = load <16 x float>, ptr %[[AT]], align 4
// CHECK-NEXT:    %[[NEXT:.*]] = getelementptr i8, ptr %[[AT]], i64 4
// CHECK-NEXT:    %[[B:.*]] = load <16 x float>, ptr %[[NEXT]], align 4
// CHECK-NEXT:    %[[S:.*]] = fadd <16 x float> %[[A]], %[[B]]
// CHECK-NEXT:    store <16 x float> %[[S]], ptr %y, align 4
// CHECK-NEXT:    %[[J1]] = add nuw nsw i64 %[[J]], 1
// CHECK-NEXT:    %[[MORE:.*]] = icmp ne i64 %[[J1]], 16
// CHECK-NEXT:    br i1 %[[MORE]], label %[[INNER]], label %[[AFTER]]
// CHECK-NEXT:  [[AFTER]]:
func.func @addresses_grow_with_the_loops(%x: memref<4x32xf32>, %y: memref<16xf32>) {
  loop.for %k < 4, %j < 16 {
    %a = vec.load %x[%k, %j] : memref<4x32xf32> -> vector<16xf32>
    %b = vec.load %x[%k, %j + 1] : memref<4x32xf32> -> vector<16xf32>
    %s = arith.addf %a, %b : vector<16xf32>
    vec.store %s, %y[0] : vector<16xf32>, memref<16xf32>
  }
  func.return
}

// CHECK-LABEL: define void @carried_values_are_phis
// CHECK:         %[[ACC:.*]] = phi <8 x float> [ splat (float 0x0000000000000000), %entry ], [ %[[NEW:.*]], %{{.*}} ]
// CHECK:         %[[E:.*]] = load float, ptr %{{.*}}, align 4
// CHECK-NEXT:    %[[ONE:.*]] = insertelement <8 x float> poison, float %[[E]], i32 0
// CHECK-NEXT:    %[[ALL:.*]] = shufflevector <8 x float> %[[ONE]], <8 x float> poison, <8 x i32> zeroinitializer
// CHECK-NEXT:    %[[NEW]] = call <8 x float> @llvm.fma.v8f32(<8 x float> %[[ALL]], <8 x float> %[[ALL]], <8 x float> %[[ACC]])
// CHECK:         store <8 x float> %[[NEW]], ptr %y, align 4
// CHECK:       declare <8 x float> @llvm.fma.v8f32(<8 x float>, <8 x float>, <8 x float>)
func.func @carried_values_are_phis(%x: memref<64xf32>, %y: memref<8xf32>) {
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %sum = loop.for %k < 64 iter(%acc = %zero) : vector<8xf32> {
    %a = vec.load_splat %x[%k] : memref<64xf32> -> vector<8xf32>
    %b = math.fma %a, %a, %acc : vector<8xf32>
    loop.yield %b : vector<8xf32>
  }
  vec.store %sum, %y[0] : vector<8xf32>, memref<8xf32>
  func.return
}

// A loop of one step is no loop, and its index is a number.
// CHECK-LABEL: define void @one_step_leaves_no_loop
// CHECK-NEXT:  entry:
// CHECK-NEXT:    %[[A:.*]] = load float, ptr %x, align 4
// CHECK-NEXT:    store float %[[A]], ptr %y, align 4
// CHECK-NEXT:    ret void
func.func @one_step_leaves_no_loop(%x: memref<4xf32>, %y: memref<4xf32>) {
  loop.for %k < 1 {
    %a = vec.load %x[%k] : memref<4xf32> -> f32
    vec.store %a, %y[%k] : f32, memref<4xf32>
  }
  func.return
}

// CHECK-LABEL: define void @maximum_with_a_number_is_one_comparison
// CHECK:         %[[LESS:.*]] = fcmp olt <16 x float> %[[X:.*]], splat (float 0x0000000000000000)
// CHECK-NEXT:    select <16 x i1> %[[LESS]], <16 x float> splat (float 0x0000000000000000), <16 x float> %[[X]]
// CHECK-NEXT:    store
func.func @maximum_with_a_number_is_one_comparison(%x: memref<16xf32>, %y: memref<16xf32>) {
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %m = arith.maximumf %a, %zero : vector<16xf32>
  vec.store %m, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// Either operand may be NaN here: x where it is, then y where y is.
// CHECK-LABEL: define void @maximum_of_two_values_asks_both_for_nan
// CHECK:         %[[LESS:.*]] = fcmp olt <16 x float> %[[X:.*]], %[[Y:.*]]
// CHECK-NEXT:    %[[BEST:.*]] = select <16 x i1> %[[LESS]], <16 x float> %[[Y]], <16 x float> %[[X]]
// CHECK-NEXT:    %[[NAN:.*]] = fcmp uno <16 x float> %[[Y]], %[[Y]]
// CHECK-NEXT:    select <16 x i1> %[[NAN]], <16 x float> %[[Y]], <16 x float> %[[BEST]]
func.func @maximum_of_two_values_asks_both_for_nan(%x: memref<16xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = vec.load %y[0] : memref<16xf32> -> vector<16xf32>
  %m = arith.maximumf %a, %b : vector<16xf32>
  vec.store %m, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// CHECK-LABEL: define void @groups_are_loaded_as_one_integer
// CHECK:         %[[G:.*]] = load i32, ptr %x, align 1
// CHECK-NEXT:    %[[ONE:.*]] = insertelement <16 x i32> poison, i32 %[[G]], i32 0
// CHECK-NEXT:    %[[ALL:.*]] = shufflevector <16 x i32> %[[ONE]], <16 x i32> poison, <16 x i32> zeroinitializer
// CHECK-NEXT:    %[[BYTES:.*]] = bitcast <16 x i32> %[[ALL]] to <64 x i8>
// CHECK-NEXT:    store <64 x i8> %[[BYTES]], ptr %y, align 1
func.func @groups_are_loaded_as_one_integer(%x: memref<4xi8>, %y: memref<64xi8>) {
  %a = vec.load_splat %x[0] : memref<4xi8> -> vector<16x4xi8>
  vec.store %a, %y[0] : vector<16x4xi8>, memref<64xi8>
  func.return
}

// CHECK-LABEL: define void @scratch_is_in_the_entry_block
// CHECK-NEXT:  entry:
// CHECK-NEXT:    %[[S:.*]] = alloca [64 x i8], align 64
// CHECK-NEXT:    br label
func.func @scratch_is_in_the_entry_block(%x: memref<16xf32>) {
  loop.for %k < 4 {
    %s = memref.alloca() : memref<16xf32>
    %a = vec.load %x[%k] : memref<16xf32> -> f32
    vec.store %a, %s[0] : f32, memref<16xf32>
  }
  func.return
}

// CHECK-LABEL: define void @arguments_may_alias(ptr %x, ptr %y, ptr noalias %z)
func.func @arguments_may_alias(%x: memref<4xf32> {lamina.may_alias},
                               %y: memref<4xf32> {lamina.may_alias}, %z: memref<4xf32>) {
  func.return
}

// CHECK-LABEL: define void @prefetch_asks_for_data_to_read
// CHECK:         %[[AT:.*]] = getelementptr i8, ptr %x, i64 512
// CHECK-NEXT:    call void @llvm.prefetch.p0(ptr %[[AT]], i32 0, i32 3, i32 1)
// CHECK:       declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
func.func @prefetch_asks_for_data_to_read(%x: memref<4x32xf32>) {
  vec.prefetch %x[4, 0] : memref<4x32xf32>
  func.return
}

// Lanes of 4 and 8 bytes are one instruction here.
// CHECK-LABEL: define void @lanes_from_anywhere(
// CHECK:         %[[L:.*]] = load <16 x i32>, ptr %at, align 4
// CHECK-NEXT:    %[[X:.*]] = getelementptr i8, ptr %x, i64 256
// CHECK-NEXT:    %[[P:.*]] = getelementptr float, ptr %[[X]], <16 x i32> %[[L]]
// CHECK-NEXT:    %[[R:.*]] = call <16 x float> @llvm.masked.gather.v16f32.v16p0(<16 x ptr> align 4 %[[P]], <16 x i1> splat (i1 true), <16 x float> poison)
// CHECK:         getelementptr i8, ptr %b, <16 x i32> %[[L]]
// CHECK-NEXT:    %[[G:.*]] = call <16 x i32> @llvm.masked.gather.v16i32.v16p0(<16 x ptr> align 1
// CHECK-NEXT:    bitcast <16 x i32> %[[G]] to <64 x i8>
// CHECK:         extractelement <16 x i32> %[[L]], i32 15
// CHECK-NEXT:    getelementptr i8, ptr %b, i32
// CHECK-NEXT:    load i8, ptr %{{.*}}, align 1
func.func @lanes_from_anywhere(%at: memref<16xi32>, %x: memref<4x64xf32>, %b: memref<64xi8>, %y: memref<16xf32>, %z: memref<64xi8>) {
  %l = vec.load %at[0] : memref<16xi32> -> vector<16xi32>
  %r = vec.gather %x[1, 0] at %l : memref<4x64xf32>, vector<16xi32> -> vector<16xf32>
  vec.store %r, %y[0] : vector<16xf32>, memref<16xf32>
  %g = vec.gather %b[0] at %l : memref<64xi8>, vector<16xi32> -> vector<16x4xi8>
  vec.store %g, %z[0] : vector<16x4xi8>, memref<64xi8>
  %s = vec.gather %b[0] at %l : memref<64xi8>, vector<16xi32> -> vector<16xi8>
  vec.store %s, %z[0] : vector<16xi8>, memref<64xi8>
  func.return
}

// An integer that was read is not negative: one division, no correction.
// CHECK-LABEL: define void @index_is_what_was_read(
// CHECK:         %[[I:.*]] = zext i32 %{{.*}} to i64
// CHECK-NEXT:    %[[Q:.*]] = udiv i64 %[[I]], 4
func.func @index_is_what_was_read(%at: memref<16xi32>, %x: memref<16xf32>, %y: memref<16xf32>) {
  %l = vec.load %at[0] : memref<16xi32> -> i32
  %w = arith.extui %l : i32 to i64
  %i = arith.index_cast %w : i64 to index
  %r = vec.load %x[%i floordiv 4] : memref<16xf32> -> f32
  vec.store %r, %y[0] : f32, memref<16xf32>
  func.return
}

// What a branch computes is used in it only; what does not depend on it is added before.
// CHECK-LABEL: define void @choice_between_steps
// CHECK:         %[[K:k.*]] = phi i64
// CHECK:         %[[BELOW:.*]] = icmp slt i64 %[[K]], 2
// CHECK:         br i1 %[[BELOW]], label %[[A:.*]], label %[[B:.*]]
// CHECK-NEXT:  [[A]]:
// CHECK:         store float %{{.*}}, ptr %y
// CHECK-NEXT:    br label %[[JOINED:.*]]
// CHECK-NEXT:  [[B]]:
// CHECK:         store float %{{.*}}
// CHECK-NEXT:    br label %[[JOINED]]
// CHECK-NEXT:  [[JOINED]]:
func.func @choice_between_steps(%x: memref<4xf32>, %y: memref<4xf32>) {
  loop.for %k < 3 {
    loop.if %k < 2 {
      %a = vec.load %x[%k] : memref<4xf32> -> f32
      vec.store %a, %y[0] : f32, memref<4xf32>
    } else {
      %b = vec.load %x[%k + 1] : memref<4xf32> -> f32
      vec.store %b, %y[%k] : f32, memref<4xf32>
    }
  }
  func.return
}

// The pool gets a function of one step: what it is given lies on the stack until all are done.
// CHECK-LABEL: define void @steps_for_a_pool(ptr noalias %x, ptr noalias %y)
// CHECK:         %[[CONTEXT:.*]] = alloca [2 x i64], align 64
// CHECK:         store ptr %x, ptr %{{.*}}, align 8
// CHECK:         store ptr %y, ptr %{{.*}}, align 8
// CHECK-NEXT:    call void @lamina_parallel(ptr @[[STEP:.*]], ptr %[[CONTEXT]], i64 12)
// CHECK-NEXT:    ret void
// CHECK:       define internal void @[[STEP]](ptr %context, i64 %k) nounwind {
// CHECK-NEXT:    %[[J:.*]] = urem i64 %k, 3
// CHECK-NEXT:    %[[I:.*]] = udiv i64 %k, 3
// CHECK:         %[[X:.*]] = load ptr, ptr %{{.*}}, align 8
// CHECK:         %[[Y:.*]] = load ptr, ptr %{{.*}}, align 8
// CHECK-NEXT:    call void @some_step(i64 %[[I]], i64 %[[J]], ptr %[[X]], ptr %[[Y]])
// CHECK-NEXT:    ret void
// CHECK:       declare void @lamina_parallel(ptr, ptr, i64)
// CHECK:       declare void @some_step(i64, i64, ptr, ptr) nounwind
func.func private @some_step(index, index, memref<4x3xf32>, memref<4x3xf32>)
func.func @steps_for_a_pool(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  loop.for %i < 4, %j < 3 parallel {
    func.call @some_step(%i, %j, %x, %y) : (index, index, memref<4x3xf32>, memref<4x3xf32>) -> ()
  }
  func.return
}

// The lanes of a register need not wait for each other, and local memory is any memory.
// CHECK-LABEL: define void @lanes_are_together(ptr noalias %x)
// CHECK-NEXT:  entry:
// CHECK-NEXT:    %[[ROWS:.*]] = alloca [64 x i8], align 64
// CHECK-NEXT:    %[[V:.*]] = load <16 x float>, ptr %x, align 4
// CHECK-NEXT:    store <16 x float> %[[V]], ptr %[[ROWS]], align 4
// CHECK-NEXT:    ret void
func.func @lanes_are_together(%x: memref<16xf32>) {
  %rows = memref.alloca() : memref<16xf32, "local">
  %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  vec.barrier
  vec.store %v, %rows[0] : vector<16xf32>, memref<16xf32, "local">
  vec.barrier
  func.return
}
